package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"time"
)

// peakResident returns VmHWM of this process in octets. Not ru_maxrss, which
// starts at the parent's value at the fork.
func peakResident() (int64, error) { return peakResidentOf("self") }

// peakResidentOf returns it for another process.
func peakResidentOf(process string) (int64, error) { return memoryOf(process, "VmHWM") }

// residentOf returns the memory that a process uses now.
func residentOf(process string) (int64, error) { return memoryOf(process, "VmRSS") }

func memoryOf(process, key string) (int64, error) {
	file, err := os.Open("/proc/" + process + "/status")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int64
		if n, _ := fmt.Sscanf(lines.Text(), key+": %d kB", &kilobytes); n == 1 { // other lines don't match
			return kilobytes << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc has no %s", key)
}

// userSeconds returns the user-mode processor time of this process.
func userSeconds() (float64, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano()).Seconds(), nil
}

func dataSync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

// asUser runs a process as another user; it ends with this one.
func asUser(uid, gid int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, Pdeathsig: syscall.SIGINT}
}
