// Package peers puts parts of this product beside well-known libraries that do the same. It is a module of its own, so that the product
// does not depend on them; nothing imports it. Run it with
//
//	cd internal/peers && go test -run '^$' -bench . -count 6
//
// The write-ahead log of tidwall stands in store/journal/compare, COSE and JWS in codegen (BenchmarkCode).
package peers
