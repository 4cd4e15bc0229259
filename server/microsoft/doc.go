// Package microsoft is the Microsoft side of Trueup: sign-in tokens of the four kinds
// of connection, the license counts and license holders of a tenant from Graph, the
// partner's lists of customers, and what only Partner Center knows of a subscription.
//
// One call matters more than all others, Read: it gives a complete billing.Evidence
// of one tenant or an Evidence with a Fault, never anything in between. A count that
// is missing, null, negative or from half a list is no count; who bills from it would
// write a zero that nobody meant.
//
// Read it in this order: credential.go (what a connection is), token.go (tokens, kept
// and renewed), autherror.go with aadsts.go (why Microsoft said no, in words), read.go
// with batch.go, page.go and evidence.go (the read), fault.go (what a failed one is
// called). The rest is one file for each thing that is asked of Microsoft.
//
// A read of a tenant with fewer than 1,000 licensed users costs one token, none when
// the last one is still good, and one Graph batch.
//
// Tokens, secrets, passwords and certificates appear in no log line, no error and no
// formatted Credential.
package microsoft
