package api

import "net/http"

// registerEntries is the part of the route table for vehicle posts, venues and the inbox of those who receive people.
func (s *Server) registerEntries() {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	resident, gate, official := []Role{Resident}, []Role{GateStaff}, []Role{Official}

	route(s, Route{post, "/v1/me/vehicle-entries", "file-vehicle-entry", resident, maxBody, "File a vehicle with everybody in it before it arrives; gives the pass"}, s.fileEntry)
	route(s, Route{get, "/v1/me/vehicle-entries", "my-vehicle-entries", resident, 0, "The vehicles I filed"}, s.myEntries)
	route(s, Route{get, "/v1/me/vehicle-entries/{id}", "my-vehicle-entry", resident, 0, "One vehicle I filed or am in"}, s.myEntry)
	route(s, Route{get, "/v1/me/vehicle-entries/{id}/pass.svg", "vehicle-pass-svg", resident, 0, "The pass as an SVG picture"}, s.entryPassSVG)
	route(s, Route{del, "/v1/me/vehicle-entries/{id}", "cancel-vehicle-entry", resident, 0, "Withdraw a vehicle before a post has inspected it"}, s.cancelEntry)
	route(s, Route{post, "/v1/me/vehicle-trips", "join-coach", resident, maxBody, "Join a coach by its trip code and plate"}, s.joinTrip)
	route(s, Route{post, "/v1/vehicle-entries/find", "find-vehicle-entry", gate, maxBody, "Everybody in a vehicle with their colours, by its pass or plate"}, s.findEntry)
	route(s, Route{post, "/v1/vehicle-entries/{id}/inspection", "inspect-vehicle", gate, maxBody, "Decide about the people in a vehicle; one passage each"}, s.inspectEntry)
	route(s, Route{put, "/v1/vehicle-rules", "publish-vehicle-rules", []Role{Admin}, maxRules, "Put the rules of vehicle posts in force"}, s.putVehicleRules)
	route(s, Route{get, "/v1/vehicle-rules", "vehicle-rules-in-force", nil, 0, "Which rules the vehicle posts decide by"}, s.vehicleRules)
	route(s, Route{put, "/v1/firms/{id}", "put-firm", []Role{Official, Admin}, maxBody, "Put a firm on the list of those back at work"}, s.putFirm)

	runs := []Role{GateStaff, Official, Admin}
	route(s, Route{put, "/v1/venues/{id}", "put-venue", runs, maxBody, "Create or change a venue with a code"}, s.putVenue)
	route(s, Route{get, "/v1/venues", "venues", runs, 0, "The venues I run"}, s.listVenues)
	route(s, Route{get, "/v1/venues/{id}", "venue", append([]Role{Resident}, StaffRoles...), 0, "A venue's name, form and whether it needs a position"}, s.venuePage)
	route(s, Route{get, "/v1/venues/{id}/code", "venue-code", runs, 0, "The venue's signed code as text, for its screen"}, s.venueCode)
	route(s, Route{get, "/v1/venues/{id}/code.svg", "venue-code-svg", runs, 0, "The venue's signed code as an SVG picture"}, s.venueCodeSVG)
	route(s, Route{get, "/v1/venues/{id}/poster.svg", "venue-poster", runs, 0, "A page to hang at the venue (printed codes)"}, s.venuePoster)
	route(s, Route{post, "/v1/venues/{id}/reprint", "reprint-venue", runs, 0, "Void the printed codes of a venue"}, s.reprintVenue)
	route(s, Route{get, "/v1/venues/{id}/passages", "venue-passages", runs, 0, "The latest verified visits, without names"}, s.venuePassages)
	route(s, Route{post, "/v1/venues/{id}/check-ins", "check-in", resident, maxBody, "Scan a venue's code: its verdict on me and my companions"}, s.checkIn)
	route(s, Route{post, "/v1/venues/{id}/check-outs", "check-out", resident, maxBody, "Leave a venue"}, s.checkOut)

	route(s, Route{get, "/v1/inbox", "inbox", official, 0, "What my divisions have to read: who was let in, what went wrong at a gate"}, s.listInbox)
	route(s, Route{get, "/v1/inbox/{id}", "inbox-item", official, 0, "One item, with name and phone; the person sees that I looked"}, s.readInboxItem)
	route(s, Route{post, "/v1/inbox/{id}/acknowledge", "acknowledge-inbox-item", official, 0, "I have read it and take it on"}, s.acknowledgeInbox)
}
