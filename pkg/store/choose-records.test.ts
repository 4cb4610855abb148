import { expect, test } from 'vitest';
import { chooseRecords } from './choose-records.ts';

/** Records are numbers, which go up in their life. */
function choose(places: { stored?: string; copy?: string; aside?: string }) {
  const at = (text: string | undefined) => new Map(text === undefined ? [] : [['a', text]]);
  const { records, unreadable } = chooseRecords(
    { stored: at(places.stored), copies: at(places.copy), aside: at(places.aside) },
    (text) => {
      if (!/^\d+$/.test(text)) throw new Error(`not a number: ${text}`);
      return Number(text);
    },
    (copy, record) => copy > record,
  );
  return [
    ...records.map(({ record, from }) => `${from} ${record}`),
    ...unreadable.map(({ text }) => `? ${text}`),
  ];
}

test.each([
  ['the record, as a rule', { stored: '2', copy: '2' }, ['stored 2']],
  ['the record, where the copy was not written any more', { stored: '3', copy: '2' }, ['stored 3']],
  ['the copy, where the database has lost the end of its log', { stored: '1', copy: '2' }, ['copy 2']],
  ['the copy, where the database has lost the record', { copy: '2' }, ['copy 2']],
  ['the copy, where the record cannot be read', { stored: 'x', copy: '2' }, ['copy 2']],
  ['the record, where the copy cannot be read', { stored: '1', copy: 'x' }, ['stored 1']],
  ['what was set aside, if it can be read now', { aside: '2' }, ['aside 2']],
  ['the record rather than what was set aside before', { stored: '3', aside: '2' }, ['stored 3']],
  ['nothing, where nothing can be read', { stored: 'x', copy: 'y' }, ['? x']],
  ['nothing, where only a copy is left that cannot be read', { copy: 'y' }, ['? y']],
  ['nothing anew, where it has been set aside already', { copy: 'y', aside: 'x' }, []],
])('it takes %s', (_, places, expected) => {
  expect(choose(places)).toEqual(expected);
});
