package postgres_test

import (
	"os"
	"syscall"
	"testing"
)

// BenchmarkDisk measures the disk of the server's data: 5 kB appended and synced. Compare the
// other figures with it.
func BenchmarkDisk(b *testing.B) {
	f, err := os.CreateTemp("", "disk")
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 5<<10)
	for b.Loop() {
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}
