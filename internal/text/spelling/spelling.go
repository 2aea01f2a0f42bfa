// Package spelling measures the distance of a mistyped word from a correct one, for suggestions.
package spelling

// Distance counts the characters to insert, delete, replace or swap with their neighbour to turn
// typed into right.
func Distance(typed, right []rune) int {
	older, previous, current := make([]int, len(right)+1), make([]int, len(right)+1), make([]int, len(right)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(typed); i++ {
		current[0] = i
		for j := 1; j <= len(right); j++ {
			cost := 1
			if typed[i-1] == right[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && typed[i-1] == right[j-2] && typed[i-2] == right[j-1] {
				current[j] = min(current[j], older[j-2]+1)
			}
		}
		older, previous, current = previous, current, older
	}
	return previous[len(right)]
}
