// The calls that any container may make: those that act on the process itself, on what it has opened, or on
// objects that a namespace or a permission of the kernel guards. What has been left out on purpose:
//
// - io_uring: it does what other calls do past any filter, and has been a way out of containers;
// - keyctl, add_key, request_key: keys of the kernel belong to no namespace;
// - userfaultfd, kexec, swap, obsolete calls, move_pages: for the node, for attackers, or for nobody;
// - clone, socket, personality: see `default-profile.ts`, which looks at their arguments;
// - what needs a capability: see `capability-syscalls.ts`.
//
// The list grows with each kernel. Names of 32-bit variants (`chown32`, `clock_gettime64`) serve x86 and arm.

const GROUPS = {
  files: `
    access chdir close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fallocate fchdir
    fcntl fcntl64 flock ftruncate ftruncate64 getcwd ioctl lseek _llseek link linkat mkdir mkdirat mknod mknodat
    name_to_handle_at open openat openat2 pipe pipe2 readlink readlinkat rename renameat renameat2 rmdir symlink
    symlinkat truncate truncate64 umask unlink unlinkat`,

  'contents of files': `
    cachestat fadvise64 fadvise64_64 fdatasync fsync pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
    readahead readv sendfile sendfile64 splice sync sync_file_range syncfs tee vmsplice write writev`,

  'asynchronous input and output, the old way': `
    io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit`,

  'attributes of files': `
    chmod chown chown32 fchmod fchmodat fchmodat2 fchown fchown32 fchownat lchown lchown32 file_getattr
    file_setattr fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat
    llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat futimesat utime utimensat
    utimensat_time64 utimes`,

  'what is there': `
    fstat fstat64 fstatat64 fstatfs fstatfs64 getdents getdents64 listmount lstat lstat64 newfstatat stat stat64
    statfs statfs64 statmount statx`,

  'waiting for several': `
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select`,

  'changes of files': `
    fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch`,

  sockets: `
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64
    recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair`,

  memory: `
    brk madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap
    mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages`,

  processes: `
    execve execveat exit exit_group fork getpgid getpgrp getpid getppid getrusage getsid gettid kill
    pidfd_open pidfd_send_signal prctl process_mrelease setpgid setsid tgkill times tkill vfork wait4 waitid
    waitpid`,

  threads: `
    futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area
    restart_syscall rseq rseq_slice_yield set_robust_list set_thread_area set_tid_address`,

  'other processes of the same user, which the kernel checks': `
    process_vm_readv process_vm_writev ptrace`,

  'users, groups and capabilities': `
    capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32
    getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
    setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid
    setuid32`,

  'limiting oneself further': `
    landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr seccomp`,

  signals: `
    alarm pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn`,

  'time, which the kernel lets only CAP_SYS_TIME set': `
    adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
    clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create
    timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
    timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,

  'scheduling and limits': `
    getcpu getpriority getrlimit ioprio_get ioprio_set prlimit64 sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
    setpriority setrlimit ugetrlimit`,

  'objects of the IPC namespace': `
    ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
    mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt
    shmget`,

  'the machine': `
    getrandom sysinfo uname`,
};

export const ALLOWED_SYSCALLS: readonly string[] = Object.values(GROUPS).flatMap((names) =>
  names.trim().split(/\s+/),
);
