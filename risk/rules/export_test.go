package rules

// For tests outside the package.
var (
	Typical = typical
	CPUTime = cpuTime
)
