package microsoft

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// Health is the state of a connection in a tenant.
type Health string

// The states of a connection in a tenant.
const (
	Healthy           Health = "ok"
	ConsentMissing    Health = "consentMissing"
	SecretExpired     Health = "secretExpired"
	SecretWrong       Health = "secretWrong"
	SignInAgain       Health = "signInAgain"
	MFARequired       Health = "mfaRequired"
	ConditionalAccess Health = "conditionalAccess"
	AccountProblem    Health = "accountProblem"
	WrongTenant       Health = "wrongTenant"
	WrongCloud        Health = "wrongCloud"
	AppDisabled       Health = "appDisabled"
	GDAPMissing       Health = "gdapMissing"
	Transient         Health = "transient"
	UnknownHealth     Health = "unknown"
)

// says is what a person reads: what happened, and what to do.
type says struct{ text, action string }

// AuthError is a refusal of Microsoft's sign-in.
type AuthError struct {
	Code       int    // AADSTS code; 0: none was given
	OAuthError string // "invalid_grant" and so on; "": none was given
	Suberror   string
	Health     Health
	Tenant     string // where the token was wanted
	// TraceID and CorrelationID find the refusal in Microsoft's sign-in logs.
	TraceID, CorrelationID string
	says                   says
}

// Error names codes and ids only: Microsoft's own text may hold names of accounts.
func (e *AuthError) Error() string {
	return fmt.Sprintf("get a token from Microsoft for tenant %q: %s (%s, trace %q)", e.Tenant, e.Reason(), e.Health, e.TraceID)
}

// Reason is the code to store: "AADSTS65001", else the OAuth error, else the health.
func (e *AuthError) Reason() string {
	switch {
	case e.Code != 0:
		return "AADSTS" + strconv.Itoa(e.Code)
	case e.OAuthError != "":
		return e.OAuthError
	}
	return string(e.Health)
}

// Text is one plain sentence of what happened.
func (e *AuthError) Text() string { return e.says.text }

// Action is one plain sentence of what to do.
func (e *AuthError) Action() string { return e.says.action }

var (
	aadstsForm = regexp.MustCompile(`AADSTS([0-9]{4,8})`)
	wordForm   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
)

// word is s when it is a plain code or id, else "": what comes from outside and goes
// to logs has no room for a story.
func word(s string) string {
	if wordForm.MatchString(s) {
		return s
	}
	return ""
}

// parseTokenError reads the token endpoint's refusal (Entra documentation,
// "Authentication and authorization error codes"): error, error_codes, trace ids. The
// codes only choose the words; without a known one the OAuth error does, and without
// that it is unknown, or transient when the server itself was in trouble.
func parseTokenError(status int, body []byte) *AuthError {
	var b struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		Codes         []int  `json:"error_codes"`
		Suberror      string `json:"suberror"`
		TraceID       string `json:"trace_id"`
		CorrelationID string `json:"correlation_id"`
	}
	if json.Unmarshal(body, &b) != nil {
		b.Codes = nil
	}
	e := &AuthError{OAuthError: word(b.Error), Suberror: word(b.Suberror), TraceID: word(b.TraceID), CorrelationID: word(b.CorrelationID)}
	e.Code = chooseCode(b.Codes, b.Description)
	if r, ok := refusals[e.Code]; ok {
		e.Health, e.says = r.health, r.says
		return e
	}
	e.Health, e.says = byOAuthError(e.OAuthError, status, e.Code)
	return e
}

// chooseCode is the first code we know, else the first at all; without a list, the
// one that the description begins with.
func chooseCode(codes []int, description string) int {
	if len(codes) == 0 {
		if m := aadstsForm.FindStringSubmatch(description); m != nil {
			code, _ := strconv.Atoi(m[1])
			return code
		}
		return 0
	}
	for _, code := range codes {
		if _, ok := refusals[code]; ok {
			return code
		}
	}
	return max(codes[0], 0)
}

// byOAuthError is the safe default for codes that we don't know.
func byOAuthError(oauthError string, status, code int) (Health, says) {
	switch oauthError {
	case "temporarily_unavailable", "server_error":
		return Transient, transientSays
	case "invalid_client":
		return SecretWrong, says{"Microsoft doesn't accept the app's secret or certificate.", "Check client id and secret of the connection, and enter them again."}
	case "unauthorized_client", "consent_required":
		return ConsentMissing, consentSays
	case "interaction_required":
		return MFARequired, mfaSays
	case "login_required":
		return SignInAgain, signInSays
	}
	if status >= 500 || status == 429 {
		return Transient, transientSays
	}
	what := "Microsoft refused the sign-in for a reason that Trueup doesn't know"
	do := "Test the connection again later; if it stays so, look at the sign-in logs in the tenant's Entra admin center."
	if code != 0 {
		what += fmt.Sprintf(" (AADSTS%d)", code)
		do = fmt.Sprintf("Test the connection again later; if it stays so, look up the code at https://login.microsoftonline.com/error?code=%d.", code)
	}
	return UnknownHealth, says{what + ".", do}
}
