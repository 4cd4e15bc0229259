// Package hostpage is a page that looks and speaks like ConnectWise Manage in a browser:
// companies and agreements with their additions as a simulated Manage (connectwisesim) has
// them, and around the pods of others the frame that the Hosted API describes.
//
// A Page answers the addresses of people itself and gives all others to the simulator, so
// that pages and REST API are at one origin, as they are with Manage. Serve it at another
// host name than what it frames (localhost and 127.0.0.1 will do), or the browser takes
// both for one site.
//
//	/                                   companies and agreements, and who is signed in
//	/agreements/{id} /companies/{id} /companies/{id}/finance    a record, with its pods
//	/hostpage/...                       what the page asks for: people, records, a member's word
//
// Pods are the rows of /system/connectwisehostedsetups of the record's screen that aren't
// disabled, with [cw_id] and [cw_screen] replaced. The page keeps the oddities of the real
// frame: messages are JSON texts and objects are ignored, MessageFrameID is sent twice,
// responses have the lower-cased name of their request, fields are in mixed case, a pod
// whose origin is not the one of its row hears nothing, and a screen can't be saved while
// a pod leaves beforeSave unanswered. Two more can be switched on in the address, for
// tests: ?silent=1 answers no getMemberAuthentication, ?bare=1 sends neither frame ids nor
// ids of events, as other shells do.
package hostpage
