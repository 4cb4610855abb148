// Which process listens on a unix socket, from /proc alone.

import { readdir, readFile, readlink } from 'node:fs/promises';

/** SO_ACCEPTCON of include/linux/net.h: the socket listens. */
const LISTENS = 0x10000;

/** @returns the lowest pid that has the listening socket open, or `undefined` when none can be seen */
export async function ownerOfSocket(path: string): Promise<number | undefined> {
  const inode = listeningInode(await readFile('/proc/net/unix', 'utf8'), path);
  if (inode === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids.sort((a, b) => a - b)) {
    if (await hasOpen(pid, `socket:[${inode}]`)) return pid;
  }
  return undefined;
}

/** A line is `Num: RefCount Protocol Flags Type St Inode Path`. Source: proc_net(5). */
export function listeningInode(table: string, path: string): string | undefined {
  for (const line of table.split('\n')) {
    const [, , , flags, , , inode, name] = line.split(/\s+/);
    if (name === path && (Number.parseInt(flags ?? '', 16) & LISTENS) !== 0) return inode;
  }
  return undefined;
}

async function hasOpen(pid: number, link: string): Promise<boolean> {
  const dir = `/proc/${pid}/fd`;
  const fds = await readdir(dir).catch(() => []);
  const links = await Promise.all(fds.map((fd) => readlink(`${dir}/${fd}`).catch(() => '')));
  return links.includes(link);
}
