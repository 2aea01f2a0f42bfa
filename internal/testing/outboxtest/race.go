package outboxtest

// Fewer returns how many of n repetitions a test runs: under the race detector, which makes SQLite
// ten times as slow, an eighth but at least two. `make unit` runs all of them without it.
func Fewer(n int) int {
	if Race {
		return max(min(n, 2), n/8)
	}
	return n
}
