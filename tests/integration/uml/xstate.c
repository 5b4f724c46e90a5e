/*
 * Copyright (c) 2026, the linuxnet.vnet contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lets User Mode Linux run on processors whose extended registers are more than it has room for, as with AMX.
 *
 * It keeps a process's registers in a buffer of fixed size. Reading into it works everywhere (the kernel fills what
 * there is room for), but a set of less than all registers is refused with EFAULT, and UML's init dies of that. This is
 * preloaded into it: such a set becomes one of all registers, those that the buffer lacks as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

static long (*real)(int, ...);
static unsigned char all[1 << 16] __attribute__((aligned(64)));

__attribute__((constructor)) static void find_real(void)
{
	real = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace");
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	pid_t pid = va_arg(arguments, pid_t);
	void *addr = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);
	long result = real(request, pid, addr, data);
	if (result == 0 || errno != EFAULT || request != PTRACE_SETREGSET || (long)addr != NT_X86_XSTATE)
		return result;
	struct iovec given = *(struct iovec *)data, whole = {all, sizeof(all)};
	if (real(PTRACE_GETREGSET, pid, addr, &whole) != 0 || given.iov_len > whole.iov_len)
		return -1;
	memcpy(all, given.iov_base, given.iov_len);
	return real(PTRACE_SETREGSET, pid, addr, &whole);
}
