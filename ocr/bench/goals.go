package bench

import "github.com/kangma/kangma/ocr/synth"

// goal is what is asked of the reader at one level, in percent, without the optional reader. Level 5 has no goals.
type goal struct{ number, name, nation, address float64 }

var goals = [...]goal{
	{100, 97, 100, 99.5},
	{99.8, 97, 100, 99.5},
	{99.5, 96, 100, 99.3},
	{99, 88, 98, 92},
	{97, 75, 93, 80},
}

func goalOf(l synth.Level) (goal, bool) {
	if l < 0 || int(l) >= len(goals) {
		return goal{}, false
	}
	return goals[l], true
}
