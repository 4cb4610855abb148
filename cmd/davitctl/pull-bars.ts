// How a pull looks on a terminal: a bar for each layer, drawn over the ones before.

import type { Pull } from '../../api/davit/generated/types.ts';
import { size } from './format.ts';

const BAR_WIDTH = 24;
/** More layers than this are summed up, so that all fits on a screen. */
const MAX_LAYERS = 20;

/** @returns lines no wider than `columns` */
export function pullBars(pull: Pull, columns: number): string[] {
  const { layers, receivedBytes, totalBytes, bytesPerSecond, eta, state } = pull;
  const shown = layers.slice(0, MAX_LAYERS);
  const left = eta === 0n ? '' : `, ${seconds(eta)} left`;
  const sum =
    state === 'resolving'
      ? 'asking the registry'
      : `${size(receivedBytes)} of ${size(totalBytes)}, ${size(bytesPerSecond)}/s${left}`;
  const more = layers.length > shown.length ? [`  and ${layers.length - shown.length} more`] : [];
  const lines = [`${pull.reference}: ${sum}`, ...shown.map(layerBar), ...more];
  return lines.map((line) => line.replaceAll(/\p{Cc}/gu, '?').slice(0, Math.max(1, columns - 1)));
}

function layerBar({
  digest,
  state,
  receivedBytes,
  sizeBytes,
  host,
  retries,
}: Pull['layers'][number]): string {
  const isHere = state === 'done' || state === 'shared' || state === 'unpacking';
  const part = isHere ? 1 : Number(receivedBytes) / Math.max(1, Number(sizeBytes));
  const filled = Math.round(Math.min(1, part) * BAR_WIDTH);
  const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
  const name = digest.replace(/^sha256:/, '').slice(0, 12);
  const again = retries > 0 ? `, asked ${retries} times more` : '';
  const from = state === 'downloading' && host !== '' ? ` from ${host}${again}` : '';
  return `  ${name}  [${bar}]  ${size(sizeBytes).padStart(9)}  ${state}${from}`;
}

/** Moves the cursor to the beginning of the first of `count` lines above, and clears from there on. */
export function clearLines(count: number): string {
  return count === 0 ? '' : `\u001B[${count}A\r\u001B[J`;
}

/** `12.3 s`, `4 min 10 s` */
export function seconds(ns: bigint): string {
  const s = Number(ns) / 1e9;
  return s < 100 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}
