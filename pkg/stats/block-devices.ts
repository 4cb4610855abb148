// What a group has read from and written to the disks, as both versions write it.

import type { KernelFiles } from './kernel-files.ts';
import { counterOf } from './counters.ts';
import type { DeviceUsage } from './usage.ts';

/**
 * io.stat of version 2: `8:0 rbytes=90112 wbytes=4096 rios=12 wios=1 dbytes=0 dios=0`, one line per device. A
 * device without any of them stands alone in its line.
 */
export function parseIoStat(files: KernelFiles, text: string | undefined): DeviceUsage[] {
  const lines = (text ?? '').split('\n').filter((line) => line.includes('='));
  return lines.map((line) => {
    const [number = '', ...pairs] = line.split(' ');
    const values = pairs.join('\n').replaceAll('=', ' ');
    return {
      ...nameDevice(files, number),
      reads: counterOf(values, 'rios'),
      writes: counterOf(values, 'wios'),
      readBytes: counterOf(values, 'rbytes'),
      writtenBytes: counterOf(values, 'wbytes'),
    };
  });
}

/**
 * blkio.throttle.io_service_bytes_recursive of version 1: `8:0 Read 4096`, one line per device and operation, and
 * `Total 4096` at the end; and io_serviced_recursive, which counts requests in the same way.
 *
 * @param readServiced only asked where there are devices: most groups have none
 */
export function parseBlkio(
  files: KernelFiles,
  bytes: string | undefined,
  readServiced: () => string | undefined,
): DeviceUsage[] {
  const numbers = (bytes ?? '').match(/^\d+:\d+(?= Read )/gm) ?? [];
  const serviced = numbers.length === 0 ? undefined : readServiced();
  return numbers.map((number) => ({
    ...nameDevice(files, number),
    reads: counterOf(serviced, `${number} Read`),
    writes: counterOf(serviced, `${number} Write`),
    readBytes: counterOf(bytes, `${number} Read`),
    writtenBytes: counterOf(bytes, `${number} Write`),
  }));
}

function nameDevice(files: KernelFiles, number: string): Pick<DeviceUsage, 'major' | 'minor' | 'device'> {
  const [major = '', minor = ''] = number.split(':');
  const name = files.link(`/sys/dev/block/${number}`)?.split('/').at(-1);
  return { major, minor, device: name === undefined ? number : `/dev/${name}` };
}
