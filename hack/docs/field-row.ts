// What is said in docs/cri-fields.md of one field of the CRI.

/** A test, as `e2e/NAME: its name` for test/e2e/NAME.test.ts or `pkg/…/NAME: its name` beside the code. */
export type TestName = `${'e2e' | 'api' | 'cmd' | 'pkg'}/${string}: ${string}`;

export type FieldRow =
  /** It does what the CRI says: where, below pkg/, and what proves it. */
  | { readonly kind: 'honoured'; readonly where: string; readonly tests: readonly TestName[] }
  /** It has nothing to say to us, for this reason. */
  | { readonly kind: 'not_applicable'; readonly why: string }
  /** Asked for, it is refused by name: not yet possible. */
  | { readonly kind: 'refused'; readonly where: string }
  /** Still to be done; what is missing. */
  | { readonly kind: 'open'; readonly what: string };

/** One row for each field, by message, as the .proto spells both. */
export type FieldRows = Readonly<Record<string, Readonly<Record<string, FieldRow>>>>;

export function honoured(where: string, ...tests: [TestName, ...TestName[]]): FieldRow {
  return { kind: 'honoured', where, tests };
}

export function notApplicable(why: string): FieldRow {
  return { kind: 'not_applicable', why };
}

export function refused(where: string): FieldRow {
  return { kind: 'refused', where };
}

export function open(what: string): FieldRow {
  return { kind: 'open', what };
}

export const NOT_LINUX = notApplicable('for Windows; Davit runs on Linux');
