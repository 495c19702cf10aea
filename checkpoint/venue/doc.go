// Package venue is venue codes (场所码) and the codes of scenarios like them (护林码): signed, changing on a screen or printed
// with a geofence; a resident scans, gets the venue's verdict, brings companions and checks out. A scan from elsewhere, of
// a stale photo, or sooner than anybody travels is an unverified presence: it is kept apart from the venue's passages, and
// nothing that raises anybody's risk ever reads it.
package venue
