package outboxtest

// Fewer is how many of n repetitions a test carries out: an eighth under the race
// detector, under which SQLite is ten times as slow, and two at least. `make unit` carries
// out all of them without it.
func Fewer(n int) int {
	if Race {
		return max(min(n, 2), n/8)
	}
	return n
}
