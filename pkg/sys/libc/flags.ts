// Flags that calls of several subjects take.

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const O_CLOEXEC = 0o2000000;
