// Package entry is the registration of vehicles at a post (入粤登记, 市内车辆通行登记): a driver files plate, journey and all
// occupants before they arrive and gets a pass; coach passengers join by the coach's trip code; the post sees everybody
// with their colours at once, and each is decided by rules that are data. The decision is pure. Nothing stored names
// anybody: who was filed is sealed until an officer has seen the document, and a plate is kept as a keyed hash.
package entry
