// What is wrong in the files that a configuration names, for `davit config check`. The daemon reads them again and
// again while it runs, and would tell of it only then.

import { readdir } from 'node:fs/promises';
import { Fault } from '../../pkg/base/fault.ts';
import type { Config } from '../../pkg/config/config.ts';
import { hostsOf } from '../../pkg/image/registry/hosts.ts';
import { parsePolicy, type Policy } from '../../pkg/image/signature/policy.ts';
import { readSmallFile } from '../../pkg/image/signature/small-file.ts';
import { readTrust } from '../../pkg/image/signature/trust.ts';
import { readConfigDirectory } from '../../pkg/network/config-directory.ts';
import { readCdiFolders } from '../../pkg/runtime/cdi/read-folders.ts';
import { readHookFolders } from '../../pkg/runtime/hooks/hooks.ts';
import { isErrno } from '../../pkg/sys/errno.ts';

interface FileProblem {
  readonly file: string;
  readonly problem: string;
}

/** @returns a line for each: `hooks.dirs: "/etc/x.json": it is not JSON`; folders that are missing are fine */
export async function mistakesInFiles(config: Config): Promise<string[]> {
  const { cni, runtime, image, cdi, hooks } = config;
  const networks = Object.entries(runtime.handlers).filter(([, { cni_conf_dir: dir }]) => dir !== '');
  const found = await Promise.all([
    told('image.signature_policy', policyProblems(image.signature_policy)),
    told('image.certs_dirs', registryProblems(image.certs_dirs)),
    told('cni.conf_dir', problemsOf(readConfigDirectory(cni.conf_dir))),
    ...networks.map(([name, { cni_conf_dir: dir }]) =>
      told(`runtime.handlers.${name}.cni_conf_dir`, problemsOf(readConfigDirectory(dir))),
    ),
    told('cdi.spec_dirs', problemsOf(readCdiFolders(cdi.spec_dirs))),
    told('hooks.dirs', problemsOf(readHookFolders(hooks.dirs))),
  ]);
  return found.flat();
}

async function told(option: string, problems: Promise<readonly FileProblem[]>): Promise<string[]> {
  return (await problems).map(({ file, problem }) => `${option}: "${file}": ${problem}`);
}

async function problemsOf(
  folder: Promise<{ readonly problems: readonly FileProblem[] }>,
): Promise<readonly FileProblem[]> {
  return (await folder).problems;
}

/** Keys and certificates that it names count too. */
async function policyProblems(file: string): Promise<FileProblem[]> {
  if (file === '') return [];
  return await problemIn(file, async () => {
    const text = await readSmallFile(file, 'signature policy');
    const policy = parsePolicy(text.toString(), 'it');
    for (const requirement of requirementsIn(policy))
      if (requirement.type === 'sigstoreSigned') await readTrust(requirement);
  });
}

function requirementsIn(policy: Policy): Policy['default'] {
  const scopes = Object.values(policy.transports).flatMap((transport) => Object.values(transport));
  return [...policy.default, ...scopes.flat()];
}

/** Each folder alone: one that is hidden by another now may count some day. */
async function registryProblems(folders: readonly string[]): Promise<FileProblem[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await namesIn(folder);
      const problems = names.map((name) => problemIn(folder, () => hostsOf(toRegistry(name), [folder])));
      return (await Promise.all(problems)).flat();
    }),
  );
  return found.flat();
}

/** The name of a folder is that of the registry; for `_default` any that has none of its own. */
function toRegistry(name: string): string {
  return name === '_default' ? 'registry.invalid' : name.replace(/_(\d+)_$/, ':$1');
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function problemIn(file: string, look: () => Promise<unknown>): Promise<FileProblem[]> {
  try {
    await look();
    return [];
  } catch (error) {
    return [{ file, problem: Fault.from(error).message }];
  }
}
