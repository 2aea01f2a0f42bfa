package diagnosis

import "testing"

// BenchmarkLoad measures the additional cost of the first diagnosis: at most 3 ms.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		loadTable()
	}
}
