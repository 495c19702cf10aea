package api

import "net/http"

// registerEntries is the part of the route table for vehicle posts, venues and the inbox of those who receive people.
func (s *Server) registerEntries() {
	const get, post = http.MethodGet, http.MethodPost
	official := []Role{Official}

	route(s, Route{get, "/v1/inbox", "inbox", official, 0, "What my divisions have to read: who was let in, what went wrong at a gate"}, s.listInbox)
	route(s, Route{get, "/v1/inbox/{id}", "inbox-item", official, 0, "One item, with name and phone; the person sees that I looked"}, s.readInboxItem)
	route(s, Route{post, "/v1/inbox/{id}/acknowledge", "acknowledge-inbox-item", official, 0, "I have read it and take it on"}, s.acknowledgeInbox)
}
