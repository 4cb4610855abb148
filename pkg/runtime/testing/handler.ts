// Runtime handlers of which nothing special is said.

import type { HandlerConfig, RuntimeHandler } from '../handlers.ts';

export function handlerConfig(path: string, said: Partial<HandlerConfig> = {}): HandlerConfig {
  return {
    path,
    root: '',
    options: [],
    allowed_annotations: [],
    default_annotations: {},
    privileged_without_host_devices: false,
    cgroup_writable: false,
    ...said,
  };
}

export function runtimeHandler(
  said: Pick<RuntimeHandler, 'name' | 'path' | 'root'> & Partial<RuntimeHandler>,
): RuntimeHandler {
  return {
    systemdCgroup: false,
    options: [],
    annotations: { allowed: [], defaults: {} },
    privilegedWithoutHostDevices: false,
    cgroupWritable: false,
    ...said,
  };
}
