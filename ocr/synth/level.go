package synth

import "fmt"

// Level is how hard a photo is, from 0 (scan) to 5 (extreme).
type Level int

// span is a range to draw from.
type span [2]float64

// conditions are the defects of a level. Probabilities are 0..1, blur in pixels, noise in 1/255.
type conditions struct {
	longSide, cover, tilt, turn     span // turn: probability of 90, 180 or 270 degrees, in [0]
	perspective, blur, noise, jpeg  span
	motion, shadow, glare, glareOnT float64
	scan                            bool // no shadow of the document and no finger
	full                            bool // the document fills the picture
}

// The table of levels: scan, good, usual, hard, tiny, extreme.
var levels = [...]conditions{
	{span{1500, 1700}, span{.98, .98}, span{0, .5}, span{0}, span{0, 0}, span{0, .3}, span{0, 2}, span{88, 92}, 0, 0, 0, 0, true, false},
	{span{1700, 2000}, span{.68, .85}, span{0, 5}, span{0}, span{0, .025}, span{.4, .8}, span{2, 4}, span{75, 85}, 0, .1, .2, 0, false, false},
	{span{1200, 1700}, span{.58, .78}, span{0, 15}, span{.6}, span{0, .05}, span{.7, 1.1}, span{4, 7}, span{60, 75}, .2, .3, .4, .1, false, false},
	{span{1000, 1300}, span{.55, .75}, span{0, 15}, span{.6}, span{0, .08}, span{.9, 1.5}, span{6, 11}, span{48, 62}, .4, .5, .6, .3, false, false},
	{span{640, 900}, span{.65, .85}, span{0, 15}, span{.6}, span{0, .08}, span{.7, 1.1}, span{7, 12}, span{40, 52}, .4, .5, .5, .3, false, false},
	{span{480, 640}, span{.68, .85}, span{0, 15}, span{.6}, span{0, .09}, span{.8, 1.3}, span{9, 15}, span{30, 42}, .5, .6, .6, .5, false, false},
}

// Levels is how many levels there are.
const Levels = 6

func (l Level) conditions() (conditions, error) {
	if l < 0 || int(l) >= len(levels) {
		return conditions{}, fmt.Errorf("there is no level %d, only 0 to %d", l, len(levels)-1)
	}
	return levels[l], nil
}
