// A call for tests: it never gives up and writes nowhere.

import type { Call, Log } from '../call.ts';

const noop = (): void => undefined;

export const silentLog: Log = { debug: noop, info: noop, warn: noop, error: noop };

export const testCall: Call = { signal: new AbortController().signal, log: silentLog };
