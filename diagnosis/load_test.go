package diagnosis

import "testing"

// BenchmarkLoad is what the first diagnosis costs beyond its own work: at
// most 3 ms.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load()
	}
}
