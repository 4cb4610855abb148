// Files as a kernel shows them, in a directory of the test: captured from a machine with cgroup v1 (Linux 6.18) and
// from one with v2 (Linux 6.12), with numbers that tell each field from the others.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Tree = Readonly<Record<string, string>>;

/** Writes each file of `tree` below `root`. */
export function writeTree(root: string, tree: Tree): void {
  for (const [name, text] of Object.entries(tree)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

const V1_MEMORY_STAT = `cache 9551872
rss 12079104
rss_huge 0
shmem 8998912
mapped_file 7544832
dirty 40960
writeback 0
workingset_refault_anon 0
workingset_refault_file 1972
swap 0
swapcached 0
pgpgin 46857
pgpgout 41576
pgfault 58712
pgmajfault 3
inactive_anon 0
active_anon 1531904
inactive_file 12288
active_file 540672
unevictable 19546112
hierarchical_memory_limit 268435456
hierarchical_memsw_limit 536870912
total_cache 40016281
total_rss 90133708
total_rss_huge 0
total_shmem 8998912
total_mapped_file 10391142
total_dirty 487424
total_writeback 0
total_workingset_refault_anon 0
total_workingset_refault_file 884195
total_swap 8192
total_swapcached 0
total_pgpgin 23418113
total_pgpgout 23105450
total_pgfault 25891608
total_pgmajfault 4256
total_inactive_anon 88907776
total_active_anon 1622016
total_inactive_file 13192396
total_active_file 25925910
total_unevictable 19546112
`;

export const V1_TREE: Tree = {
  'cpu/pod/c1/cpu.stat':
    'nr_periods 120\nnr_throttled 30\nthrottled_time 1500000000\nnr_bursts 0\nburst_time 0\n',
  'cpu/pod/c1/cpu.cfs_period_us': '100000\n',
  'cpu/pod/c1/cpu.cfs_quota_us': '20000\n',
  'cpu/pod/c1/cpu.shares': '512\n',
  'cpuacct/pod/c1/cpuacct.usage': '2345678901\n',
  'cpuacct/pod/c1/cpuacct.stat': 'user 200\nsystem 34\n',
  'memory/pod/c1/memory.stat': V1_MEMORY_STAT,
  'memory/pod/c1/memory.usage_in_bytes': '130150400\n',
  'memory/pod/c1/memory.limit_in_bytes': '268435456\n',
  'memory/pod/c1/memory.memsw.limit_in_bytes': '536870912\n',
  'memory/pod/c1/memory.soft_limit_in_bytes': '9223372036854771712\n',
  'memory/pod/c1/memory.max_usage_in_bytes': '140000000\n',
  'memory/pod/c1/memory.kmem.usage_in_bytes': '1236992\n',
  'memory/pod/c1/memory.failcnt': '7\n',
  'memory/pod/c1/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
  'pids/pod/c1/cgroup.procs': '4194300\n4194301\n',
  'pids/pod/c1/nested/cgroup.procs': '4194299\n',
  'pids/pod/c1/pids.current': '9\n',
  'pids/pod/c1/pids.max': 'max\n',
  'blkio/pod/c1/blkio.throttle.io_service_bytes_recursive':
    '254:0 Read 90112\n254:0 Write 4096\n254:0 Sync 94208\n254:0 Async 0\n254:0 Discard 0\n254:0 Total 94208\nTotal 94208\n',
  'blkio/pod/c1/blkio.throttle.io_serviced_recursive':
    '254:0 Read 12\n254:0 Write 1\n254:0 Sync 13\n254:0 Async 0\n254:0 Discard 0\n254:0 Total 13\nTotal 13\n',
  'hugetlb/pod/c1/hugetlb.2MB.usage_in_bytes': '4194304\n',
  'hugetlb/pod/c1/hugetlb.2MB.max_usage_in_bytes': '6291456\n',
};

const V2_MEMORY_STAT = `anon 90133708
file 40016281
kernel 1236992
kernel_stack 49152
pagetables 303104
sec_pagetables 0
percpu 2160
sock 0
vmalloc 0
shmem 8998912
file_mapped 10391142
file_dirty 487424
file_writeback 0
swapcached 0
anon_thp 0
inactive_anon 88907776
active_anon 1622016
inactive_file 13192396
active_file 25925910
unevictable 19546112
slab_reclaimable 405104
slab_unreclaimable 239064
slab 644168
workingset_refault_anon 0
workingset_refault_file 884195
pgscan 0
pgsteal 0
pgfault 25891608
pgmajfault 4256
`;

const pressure = (total: number) =>
  `some avg10=1.50 avg60=0.75 avg300=0.25 total=${total}\nfull avg10=0.10 avg60=0.05 avg300=0.01 total=${total - 1}\n`;

export const V2_TREE: Tree = {
  'pod/c1/cpu.stat':
    'usage_usec 2345678\nuser_usec 2000000\nsystem_usec 345678\nnice_usec 0\nnr_periods 120\nnr_throttled 30\nthrottled_usec 1500000\nnr_bursts 0\nburst_usec 0\n',
  'pod/c1/cpu.max': '20000 100000\n',
  'pod/c1/cpu.weight': '20\n',
  'pod/c1/cpu.pressure': pressure(1001),
  'pod/c1/memory.stat': V2_MEMORY_STAT,
  'pod/c1/memory.current': '130150400\n',
  'pod/c1/memory.max': '268435456\n',
  'pod/c1/memory.min': '0\n',
  'pod/c1/memory.peak': '140000000\n',
  'pod/c1/memory.swap.current': '8192\n',
  'pod/c1/memory.swap.max': 'max\n',
  'pod/c1/memory.events': 'low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n',
  'pod/c1/memory.pressure': pressure(2001),
  'pod/c1/io.stat': '254:0 rbytes=90112 wbytes=4096 rios=12 wios=1 dbytes=0 dios=0\n7:0 \n',
  'pod/c1/io.pressure': pressure(3001),
  'pod/c1/cgroup.procs': '4194300\n4194301\n',
  'pod/c1/nested/cgroup.procs': '4194299\n',
  'pod/c1/pids.current': '9\n',
  'pod/c1/pids.max': '100\n',
  'pod/c1/hugetlb.2MB.current': '4194304\n',
};
