package codegen

import "strings"

// Terminal draws the QR code of a text with half blocks, two modules a character high, black on white by ANSI colours,
// and the look's word under it. The errors are those of SizeOf.
func Terminal(text string, look Look) (string, error) {
	m, err := Matrix(text, look.Level)
	if err != nil {
		return "", err
	}
	black := func(x, y int) bool {
		x, y = x-QuietZone, y-QuietZone
		return x >= 0 && y >= 0 && y < len(m) && x < len(m) && m[y][x]
	}
	var b strings.Builder
	side := len(m) + 2*QuietZone
	for y := 0; y < side; y += 2 {
		b.WriteString("\x1b[30;107m") // black on bright white, whatever the terminal's own colours
		for x := range side {
			switch top, low := black(x, y), black(x, y+1); {
			case top && low:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case low:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	if look.Framed {
		st := look.style()
		sign := map[shape]string{circle: "●", triangle: "▲", octagon: "⯃", square: "■"}[st.shape]
		b.WriteString(sign + " " + st.zh + " " + st.en + "\n")
	}
	return b.String(), nil
}
