// Puts a pod into a network and takes it out again, by running the plugins of a list one after the other.
// Nothing here cleans up after a failed ADD: whoever asked for it undoes it with `detachPod()`, which works
// from any half state, as often as one likes.

import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import { isPinned } from '../sys/namespace.ts';
import { isAtLeast } from './cni-version.ts';
import type { NetworkConfigList } from './network-config.ts';
import { getPlugin, runPlugin, type PluginOptions } from './plugin.ts';
import type { PodAttachment } from './pod-attachment.ts';
import { checkArgs, previousForDel } from './request.ts';
import { parsePluginResult, toNetworkResult, type NetworkResult } from './result.ts';

/**
 * Runs ADD through the list; each plugin gets the result of the one before.
 *
 * That all plugins exist is known before the first one runs, since DEL could not pass one that is missing.
 *
 * @throws {Fault} invalid_argument — the pod's names cannot be passed to plugins; else as `runPlugin()`, and
 *   internal when a result cannot be read or has no address
 */
export async function attachPod(
  call: Call,
  options: PluginOptions,
  list: NetworkConfigList,
  pod: PodAttachment,
): Promise<NetworkResult> {
  checkArgs(pod);
  for (const plugin of list.plugins) await getPlugin(options.binDirs, list, plugin);
  call.signal.throwIfAborted();
  let previous: object | undefined;
  for (const plugin of list.plugins) {
    const stdout = await runPlugin(call, options, { command: 'ADD', list, plugin, pod, previous });
    previous = parsePluginResult(list, plugin.type, stdout);
  }
  return toNetworkResult(list, previous ?? {});
}

/** What `attachPod()` gave for the pod, as far as it is known. */
export interface Attached {
  readonly list: NetworkConfigList;
  readonly pod: PodAttachment;
  readonly previous?: NetworkResult | undefined;
}

/**
 * Runs DEL through the list, last plugin first. It stops at the first that fails, so that an address is not
 * given away while a port of the host still leads to it: call it again.
 *
 * @throws {Fault} as `runPlugin()`
 * Source: CNI specification, "Deleting an attachment".
 */
export async function detachPod(call: Call, options: PluginOptions, attached: Attached): Promise<void> {
  const { list, previous } = attached;
  const pod = withoutLostNamespace(attached.pod);
  for (const plugin of list.plugins.toReversed()) {
    const raw = previousForDel(list, previous?.raw);
    await runPlugin(call, options, { command: 'DEL', list, plugin, pod, previous: raw });
  }
}

/** A path where no namespace is pinned any more is an error to plugins; no path is not. */
function withoutLostNamespace(pod: PodAttachment): PodAttachment {
  if (pod.netnsPath === undefined || isPinned(pod.netnsPath)) return pod;
  const { netnsPath: _lost, ...rest } = pod;
  return rest;
}

/**
 * Runs CHECK through the list, unless its version has none or its operator switched it off.
 *
 * @throws {Fault} as `runPlugin()`: something of the pod's network is not as it was made
 */
export async function checkPod(
  call: Call,
  options: PluginOptions,
  attached: Attached & { readonly previous: NetworkResult },
): Promise<void> {
  const { list, pod, previous } = attached;
  if (list.disableCheck || !isAtLeast(list.cniVersion, '0.4.0')) return;
  for (const plugin of list.plugins) {
    await runPlugin(call, options, { command: 'CHECK', list, plugin, pod, previous: previous.raw });
  }
}

/**
 * Has every plugin give back what it holds for pods that are not there, as far as the list has that command. No pod may
 * be attached or detached meanwhile.
 *
 * @param valid the pods of this network that are there
 * @throws {Fault} internal — plugins failed, each in its words; the others have done it all the same
 * Source: CNI specification, "GC: Clean up any stale resources".
 */
export async function collectGarbage(
  call: Call,
  options: PluginOptions,
  list: NetworkConfigList,
  valid: readonly SandboxId[],
): Promise<void> {
  if (!hasGarbage(list)) return;
  const failures: Fault[] = [];
  for (const plugin of list.plugins) {
    call.signal.throwIfAborted();
    await runPlugin(call, options, { command: 'GC', list, plugin, valid }).catch((error: unknown) => {
      failures.push(Fault.from(error));
    });
  }
  if (failures.length === 0) return;
  throw new Fault('internal', failures.map(({ message }) => message).join('; '), { cause: failures[0] });
}

/** Whether the plugins of this list may be asked to collect garbage. */
export function hasGarbage({ cniVersion, disableGC }: NetworkConfigList): boolean {
  return isAtLeast(cniVersion, '1.1.0') && !disableGC;
}

/**
 * Asks every plugin whether it can serve, as far as the list's version has that question.
 *
 * @throws {Fault} as `runPlugin()`, of the first that cannot
 */
export async function checkNetwork(
  call: Call,
  options: PluginOptions,
  list: NetworkConfigList,
): Promise<void> {
  for (const plugin of list.plugins) await getPlugin(options.binDirs, list, plugin);
  if (!isAtLeast(list.cniVersion, '1.1.0')) return;
  for (const plugin of list.plugins) await runPlugin(call, options, { command: 'STATUS', list, plugin });
}
