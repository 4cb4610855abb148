// The text behind --help.

import type { Described, Option, Options } from './option.ts';
import { table } from './table.ts';

export function helpText(description: Described, options: Options): string {
  const { name, summary, synopsis, about, examples } = description;
  const rows = Object.entries(options).map(([long, option]) => [flagText(long, option), option.about]);
  const parts = [
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    `Usage: davitctl ${name} ${synopsis}`,
    ...(about === undefined ? [] : [about]),
    `Options:\n${indent(table(rows))}`,
    `Examples:\n${indent(table(examples.map(([line, what]) => [`davitctl ${line}`, what])))}`,
  ];
  return parts.join('\n\n');
}

/** `-e, --env NAME=VALUE` */
function flagText(long: string, { short, type, value }: Option): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  return `${letter}--${long}${type === 'string' ? ` ${value ?? 'VALUE'}` : ''}`;
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n');
}
