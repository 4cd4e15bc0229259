package workspace

import "strings"

// nearest is the known word that a wrong one was probably meant to be, "" when none
// is near: at most a third of its letters differ, two swapped ones counting as one.
func nearest(word string, known []string) string {
	best, bestAt := "", len(word)
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d <= max(1, len(k)/3) && (best == "" || d < bestAt) {
			best, bestAt = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with the next.
// Long words aren't compared: no key is as long.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// meant is the action for a wrong word: the nearest known one, else all of them.
func meant(word string, known []string) string {
	if k := nearest(word, known); k != "" {
		return "Did you mean " + k + "?"
	}
	return "It is one of " + strings.Join(known, ", ") + "."
}
