package outboxtest

// Fewer is how many of n repetitions a test carries out: a quarter under the race
// detector, under which SQLite is ten times as slow. `make unit` carries out all of them
// without it.
func Fewer(n int) int {
	if Race {
		return max(1, n/4)
	}
	return n
}
