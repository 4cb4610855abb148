// Names of CDI devices: `vendor.com/class=name`, and how containers ask for them.

import { Fault } from '../../base/fault.ts';

const KIND_PART = '[A-Za-z]([\\w.-]*[A-Za-z0-9])?';
const DEVICE_NAME = '[A-Za-z0-9]([\\w.:-]*[A-Za-z0-9])?';

/** `vendor.com/class` */
export const KIND = new RegExp(`^${KIND_PART}/${KIND_PART}$`);
/** What comes after the `=`. */
export const NAME = new RegExp(`^${DEVICE_NAME}$`);
const QUALIFIED = new RegExp(`^${KIND_PART}/${KIND_PART}=${DEVICE_NAME}$`);

const ANNOTATION = 'cdi.k8s.io/';

/**
 * The devices that a container asks for, each once: by the CRI's field, and by annotations of old, whose values are
 * lists with commas.
 *
 * @throws {Fault} invalid_argument — a name is not fully qualified
 */
export function devicesAskedFor(
  field: readonly string[],
  annotations: Readonly<Record<string, string>>,
): string[] {
  const asked = new Set<string>();
  for (const [index, name] of field.entries())
    asked.add(qualified(name, `config.CDI_devices[${index}].name`));
  for (const [key, value] of Object.entries(annotations).sort()) {
    if (!key.startsWith(ANNOTATION)) continue;
    for (const name of value.split(',')) asked.add(qualified(name, `config.annotations["${key}"]`));
  }
  return [...asked];
}

function qualified(name: string, field: string): string {
  if (QUALIFIED.test(name)) return name;
  throw new Fault('invalid_argument', `${field} "${name}" is not a CDI device like "vendor.com/class=name"`, {
    detail: { field },
  });
}
