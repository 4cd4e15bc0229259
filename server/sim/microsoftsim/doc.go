// Package microsoftsim is the part of Microsoft that Trueup talks to, as one program with state: the Entra login (tokens and
// consent), Microsoft Graph v1.0 (licenses, subscriptions, users, the partner's lists, batches) and the Partner Center API
// (customers, subscriptions, application consents).
//
// It answers as Microsoft documents it and refuses what Microsoft refuses, in Microsoft's words: AADSTS codes at the token
// endpoint, missing permissions at Graph, page sizes, advanced queries without their header, wrong audiences. It knows no type of the
// product on purpose, so that client and simulator can disagree.
//
// State is kept by day. Every subscription has a history of seats and of statuses, every license of users, every tenant of
// troubles; all answers are those of the simulated day, which SetDay moves in either direction. SeatHistory gives the truth
// back, so that a test can work out by itself what should have been billed.
//
// Bad days are made with SetTrouble (a tenant without consent, an expired secret, a conditional access block ...), with
// InjectFault (the next calls fail, are cut, lose a page, answer twice) and with the settings (latency, token lifetime,
// throttling). Everything that Go can do, Control does over HTTP, on a port of its own.
//
// Where Microsoft's pages are silent the simulator takes the stricter reading; such places say "not confirmed".
package microsoftsim
