//go:build !linux

package main

import "errors"

func peakResident() (int64, error) {
	return 0, errors.New("the peak of a process is read from /proc, which only Linux has")
}
