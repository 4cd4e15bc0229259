package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// selfCPU is the processor time of this process.
func selfCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// postgresCPU is the processor time of the database server, of its children that live
// and of those that have ended; 0 when it can't be told.
func (b *bench) postgresCPU() time.Duration {
	text, err := os.ReadFile(filepath.Join(b.dir, "postgres", "cluster", "postmaster.pid"))
	if err != nil {
		return 0
	}
	pid, _, _ := strings.Cut(string(text), "\n")
	total := ticks(pid, true)
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	for _, child := range strings.Fields(string(children)) {
		total += ticks(child, false)
	}
	return total
}

// ticks are the processor time of a process (proc(5), "/proc/pid/stat"; a hundredth of a
// second each), with that of its ended children when these count too.
func ticks(pid string, children bool) time.Duration {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	const utime, cutime, last = 11, 13, 15
	if len(fields) < last {
		return 0
	}
	end := cutime
	if children {
		end = last
	}
	var sum int64
	for _, f := range fields[utime:end] {
		n, _ := strconv.ParseInt(f, 10, 64)
		sum += n
	}
	return time.Duration(sum) * 10 * time.Millisecond
}
