// Package notify tells people what they want to know: once each, at once or in a digest
// on its day, by mail.
//
// Events says from a workspace's situation what is so now; the book keeps each of that as
// a notification for as long as it is so. Due says when a user is told of those that the
// user wasn't told, Choose of which; both are pure. A digest is a row with a time. A
// process claims it, decides once and for good what it tells, sends it and closes it; one
// that could not be sent is tried again, with the same content and message id. So nobody
// is told twice, however many processes there are, but for one case that mail has no
// answer to: a process that dies between the server's "taken" and the closing of the row.
// Then the mail goes again under its message id, by which mail systems know a repeat;
// not to send it would lose it in the other half of these cases.
//
// Everything that comes from outside, such as names of companies, users and products, is
// cleaned when a notification is made and escaped when a mail is.
package notify
