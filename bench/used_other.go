//go:build !linux

package main

import "errors"

func peakResident() (int64, error) { return 0, errors.New("the peak of memory is read on Linux only") }

func userSeconds() (float64, error) { return 0, errors.New("processor time is read on Linux only") }
