//go:build !linux

package main

import (
	"errors"
	"os"
	"syscall"
)

func peakResident() (int64, error) { return 0, errors.New("the peak of memory is read on Linux only") }

func peakResidentOf(string) (int64, error) { return peakResident() }

func residentOf(string) (int64, error) { return peakResident() }

func userSeconds() (float64, error) { return 0, errors.New("processor time is read on Linux only") }

func dataSync(f *os.File) error { return f.Sync() }

func asUser(int, int) *syscall.SysProcAttr { return nil }
