package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"time"
)

// yardstick says how fast a machine is, so that figures of two runs can be compared.
type yardstick struct {
	HashSeconds float64 `json:"sha256_seconds_per_gb"`
	Syncs       float64 `json:"fsyncs_per_second"`
}

// measureYardstick hashes octets of memory, and then syncs a file again and again for some seconds.
func measureYardstick(folder string, octets int64, seconds float64) (y yardstick, err error) {
	block := make([]byte, 1<<20)
	h := sha256.New()
	begun := time.Now()
	hashed := int64(0)
	for ; hashed < octets; hashed += int64(len(block)) {
		_, _ = h.Write(block) // a hash returns no errors
	}
	y.HashSeconds = time.Since(begun).Seconds() * 1e9 / float64(hashed)
	f, err := os.Create(filepath.Join(folder, "yardstick"))
	if err != nil {
		return y, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	n := 0
	for begun = time.Now(); time.Since(begun).Seconds() < seconds; n++ {
		if _, err := f.Write(block[:4096]); err != nil {
			return y, err
		}
		if err := f.Sync(); err != nil {
			return y, err
		}
	}
	y.Syncs = float64(n) / time.Since(begun).Seconds()
	return y, nil
}
