// The policy on disk, and what it says of one image. It is read for each image, so a change needs no restart, and
// one that cannot be used lets nothing in.

import { realpath } from 'node:fs/promises';
import { Fault } from '../../base/fault.ts';
import type { Reference } from '../reference.ts';
import { parsePolicy, type Requirement } from './policy.ts';
import { archiveSubject, registrySubject, requirementsOf, type PolicySubject } from './scope.ts';
import { signatureRefusal } from './refusal.ts';
import type { SignatureDemands } from './signature-demands.ts';
import { readSmallFile } from './small-file.ts';

/** Of an image that need not be signed. */
const NONE: SignatureDemands = { isEmpty: true, check: () => Promise.resolve() };

export class SignaturePolicy {
  readonly #path: string;

  /** @param path of the file; '' for no policy, which lets everything in */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * @throws {Fault} failed_precondition — the policy rejects the image or cannot be used, prefixed
   *   `SignatureValidationFailed: `
   */
  async demandsOn(reference: Reference): Promise<SignatureDemands> {
    const what = `image "${reference.toString()}"`;
    const requirements = await this.#requirementsOf(what, registrySubject(reference));
    const signed = requirements.filter((requirement) => requirement.type === 'sigstoreSigned');
    if (signed.length === 0) return NONE;
    const { readDemands } = await import('./signature-demands.ts'); // 4 MiB that few nodes need
    return await named(what, () => readDemands(reference, signed));
  }

  /**
   * Images in archives have no signatures.
   *
   * @throws {Fault} failed_precondition — as `demandsOn()`, or the policy wants signatures of archives
   */
  async expectArchiveAllowed(form: 'docker' | 'oci', archivePath: string): Promise<void> {
    if (this.#path === '') return;
    const what = `archive "${archivePath}"`;
    const subject = archiveSubject(form, await realpath(archivePath));
    const requirements = await this.#requirementsOf(what, subject);
    if (requirements.every(({ type }) => type === 'insecureAcceptAnything')) return;
    throw signatureRefusal(
      what,
      `policy "${this.#path}" wants signatures, which archives have none of: see its transport "${subject.transport}"`,
    );
  }

  /** Nothing is in it that rejects. */
  async #requirementsOf(what: string, subject: PolicySubject): Promise<readonly Requirement[]> {
    if (this.#path === '') return [];
    const policy = await named(what, async () => {
      const text = await readSmallFile(this.#path, 'signature policy');
      return parsePolicy(text.toString(), `signature policy "${this.#path}"`);
    });
    const requirements = requirementsOf(policy, subject);
    if (requirements.every(({ type }) => type !== 'reject')) return requirements;
    throw signatureRefusal(what, `policy "${this.#path}" rejects it`);
  }
}

async function named<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw signatureRefusal(what, Fault.from(cause).message);
  }
}
