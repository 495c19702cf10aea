// Package interop speaks with other systems in their own words: the seven services of GB/T 38963-2020 with the field names
// of deployed systems, the colour enums of device vendors, and the colours other regions give. It is pure: no I/O, no
// clock. A thin adapter on top of it (package api) does the work.
//
// The full text of the standard was not to be had; the field names and values are those of deployed systems, as
// docs/interop.md lists them with their sources.
package interop
