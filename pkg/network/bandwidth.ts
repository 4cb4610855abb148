// The limits on a pod's traffic that its annotations ask for.

import { Fault } from '../base/fault.ts';

/** Bits per second; what is absent is not limited. */
export interface Bandwidth {
  readonly ingressRate?: number;
  readonly egressRate?: number;
}

/** Traffic to the pod: a Kubernetes quantity of bits per second, such as `10M`. */
export const INGRESS_ANNOTATION = 'kubernetes.io/ingress-bandwidth';
/** Traffic from the pod. */
export const EGRESS_ANNOTATION = 'kubernetes.io/egress-bandwidth';

/** The same bounds as the kubelet's: below and above them it is a mistake in the unit. */
const MIN_RATE = 1_000n;
const MAX_RATE = 1_000_000_000_000_000n;

/**
 * Reads the two annotations.
 *
 * @returns `undefined` when there is neither
 * @throws {Fault} invalid_argument — no quantity, or not between 1k and 1P
 */
export function parseBandwidth(annotations: Readonly<Record<string, string>>): Bandwidth | undefined {
  const ingress = parseRate(annotations, INGRESS_ANNOTATION);
  const egress = parseRate(annotations, EGRESS_ANNOTATION);
  if (ingress === undefined && egress === undefined) return undefined;
  return {
    ...(ingress === undefined ? {} : { ingressRate: ingress }),
    ...(egress === undefined ? {} : { egressRate: egress }),
  };
}

function parseRate(annotations: Readonly<Record<string, string>>, key: string): number | undefined {
  const text = annotations[key];
  if (text === undefined) return undefined;
  const rate = parseQuantity(text);
  if (rate === undefined) {
    throw new Fault('invalid_argument', `cannot read annotation "${key}": "${text}" is no quantity`);
  }
  if (rate < MIN_RATE || rate > MAX_RATE) {
    throw new Fault('invalid_argument', `cannot use annotation "${key}": "${text}" is not between 1k and 1P`);
  }
  return Number(rate);
}

const QUANTITY = /^\+?(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?$/;
/** Longer than any amount that means something; keeps the arithmetic small. */
const MAX_QUANTITY_LENGTH = 64;

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_EXPONENTS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/**
 * Parses a resource quantity of Kubernetes, such as `1500`, `1.5M`, `10Mi` or `2e6`, rounded up to a whole.
 *
 * @returns `undefined` when it is none, or is negative
 * Source: k8s.io/apimachinery, package resource, type Quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  const match = text.length > MAX_QUANTITY_LENGTH ? null : QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const exponent = decimalExponent(suffix) - fraction.length;
  const digits = BigInt(whole + fraction) << BigInt(BINARY_EXPONENTS[suffix] ?? 0);
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return (digits + divisor - 1n) / divisor;
}

/** `E` alone is exa; `E6` is an exponent. */
function decimalExponent(suffix: string): number {
  if (/^[eE][+-]?\d/.test(suffix)) return Number(suffix.slice(1));
  return DECIMAL_EXPONENTS[suffix] ?? 0;
}
