// Package load is the load generator behind `kangma load`: open loop, so that a slow server does not slow the arrivals,
// and every latency counts from the moment the request was due (coordinated omission counted). It shares a small machine
// with the server it measures, so it is a plain event loop over non-blocking sockets that writes prepared bytes.
//
// It knows the server only by its HTTP interface and its /metrics, but for Prepare, which fills a data folder.
package load
