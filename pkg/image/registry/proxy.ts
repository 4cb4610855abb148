// Which proxy stands between us and a host: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as Go programs read them, since
// nodes are set up for those.

import { BlockList, isIP } from 'node:net';
import { isLoopback } from './hosts.ts';

export interface ProxySettings {
  /** For http and for https; empty for none. */
  readonly http: string;
  readonly https: string;
  /** `10.0.0.0/8,.internal,registry.example:5000`, or `*` */
  readonly except: string;
}

/** Upper case counts first, as in Go. */
export function proxiesFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ProxySettings {
  const value = (name: string): string => {
    const upper = environment[name] ?? '';
    return upper === '' ? (environment[name.toLowerCase()] ?? '') : upper;
  };
  return { http: value('HTTP_PROXY'), https: value('HTTPS_PROXY'), except: value('NO_PROXY') };
}

/**
 * @returns the proxy's URL; `undefined` when the host is asked directly, as loopback always is
 * Source: the documentation of golang.org/x/net/http/httpproxy.
 */
export function proxyFor(url: URL, { http, https, except }: ProxySettings): string | undefined {
  const proxy = url.protocol === 'https:' ? https : http;
  if (proxy === '' || isLoopback(url.hostname) || isExcepted(url, except)) return undefined;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isExcepted(url: URL, except: string): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return except
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(entry, host);
  const [name, entryPort] = splitPort(entry);
  if (entryPort !== '' && entryPort !== port) return false;
  if (isIP(host) !== 0) return name === host;
  const suffix = name.replace(/^\*\./, '.');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function isInNetwork(entry: string, host: string): boolean {
  const [address = '', bits = ''] = entry.split('/');
  const family = isIP(address);
  const length = Number(bits);
  if (family === 0 || family !== isIP(host) || !/^\d+$/.test(bits) || length > (family === 4 ? 32 : 128))
    return false;
  const network = new BlockList();
  network.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  return network.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** `[::1]:80`, `::1`, `a.example:80` */
function splitPort(entry: string): [name: string, port: string] {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry);
  return match === null ? [entry, ''] : [match[1] ?? match[2] ?? '', match[3] ?? ''];
}
