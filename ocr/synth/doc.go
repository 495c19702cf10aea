// Package synth makes photographs of documents that never existed: resident ID cards, passports' machine readable zones
// and licence plates, spoiled the way a phone spoils them, with the truth beside each. Everything is drawn from a seed:
// the same seed, level and kind give the same photo. The persons are random; the fonts are free ones from Debian packages
// (fonts-noto-cjk and fonts-ocr-b are needed, fonts-droid-fallback, fonts-lxgw-wenkai and the arphic fonts used when there).
package synth
