package journal

// freeBallast gives up the ballast file, if there is one, so that the node can go on for a while on a full disk.
func (j *Journal) freeBallast() bool { return false }
