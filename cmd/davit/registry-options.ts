// What the registry client takes from the configuration and the environment.

import type { Config } from '../../pkg/config/config.ts';
import type { RegistryOptions } from '../../pkg/image/registry/client.ts';
import { proxiesFromEnvironment } from '../../pkg/image/registry/proxy.ts';

export function registryOptions({
  certs_dirs: certsDirs,
  min_rate_bytes: bytesPerSecond,
  min_rate_window_seconds: windowSeconds,
}: Config['image']): RegistryOptions {
  const minRate = { bytesPerSecond, windowMs: windowSeconds * 1000 };
  return {
    certsDirs,
    proxies: proxiesFromEnvironment(process.env),
    ...(bytesPerSecond > 0 && { minRate }),
  };
}
