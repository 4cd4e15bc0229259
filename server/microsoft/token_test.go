package microsoft

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/sim/microsoftsim"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// signedIn is a partner consent, signed in at the simulator.
func (w *world) signedIn() Credential {
	w.t.Helper()
	cred := Credential{Connection: 1, Kind: PartnerConsent, Tenant: partnerID, ClientID: appID, ClientSecret: secretText}
	cred.RefreshToken = w.signIn(cred).RefreshToken
	return cred
}

func TestEveryKindReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	certified := partnerApp()
	certified.ClientSecret, certified.CertificatePEM = "", certificateOf(t, time.Now().AddDate(20, 0, 0)).both
	withSecret := password()
	withSecret.ClientSecret = secretText
	for name, cred := range map[string]Credential{
		"partner app": partnerApp(), "certificate": certified, "partner consent": w.signedIn(), "tenant app": tenantApp(), "password": password(), "password of a confidential app": withSecret,
	} {
		if err := cred.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.Forget(1)
		w.mustRead(cred)
	}
}

func TestRotatedRefreshTokensAreSavedBeforeUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cred := w.signedIn()
	w.mustRead(cred)
	w.Read(t.Context(), cred, otherID, false)
	saved := w.savedTokens()
	if len(saved) != 2 || saved[0] == saved[1] || saved[0] == cred.RefreshToken {
		t.Fatalf("%d tokens saved", len(saved))
	}
	// The next use takes the last one: the first sign-in is dead by now.
	w.sim.SetDay(w.sim.Day() + 80)
	w.Forget(1)
	w.mustRead(cred)
	w.sim.SetDay(w.sim.Day() + 80)
	w.Forget(1)
	w.mustRead(cred)
	// Another process that was given the first one is refused.
	w.mustFault(w.client().Read(t.Context(), cred, customerID, false), "AADSTS700082")
}

func TestARefreshTokenThatCannotBeSavedIsKeptAndHeldBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cred := w.signedIn()
	w.failSaving(errors.New("disk full"))
	w.mustRead(cred) // the token that came is good
	w.mustFault(w.Read(t.Context(), cred, otherID, false), "refresh_token_not_saved")
	w.mustRead(cred) // from memory
	w.failSaving(nil)
	if ev := w.Read(t.Context(), cred, otherID, false); ev.Fault != nil {
		t.Fatalf("after saving works again: %+v", ev.Fault)
	}
	if saved := w.savedTokens(); len(saved) != 2 || saved[0] == cred.RefreshToken {
		t.Errorf("%d tokens saved, want the one that waited and the new one", len(saved))
	}
}

func TestANewSignInReplacesTheOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.signedIn()
	w.mustRead(old)
	w.sim.RevokeSessions("admin@contoso.example")
	w.Forget(1)
	w.mustFault(w.Read(t.Context(), old, customerID, false), "AADSTS50173")
	fresh := w.signedIn()
	w.mustRead(fresh)
	// A run that began before still has the old credential; it goes on with the new token.
	w.Forget(1)
	w.mustRead(old)
}

func TestALateRotationDoesNotReplaceANewerSignIn(t *testing.T) {
	t.Parallel()
	s := &signIn{seen: map[[32]byte]bool{}}
	save := func(context.Context, billing.ConnectionID, string) error { return nil }
	_, first, err := s.current(t.Context(), Credential{RefreshToken: "first"}, save)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.current(t.Context(), Credential{RefreshToken: "second"}, save); err != nil {
		t.Fatal(err)
	}
	if err := s.rotate(t.Context(), 1, first, "late", save); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := s.current(t.Context(), Credential{RefreshToken: "first"}, save); got != "second" {
		t.Errorf("current token is %q", got)
	}
}

func TestReadersOfOneTenantShareOneTokenCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The answer is slow, so that all wait for the first.
	if _, err := w.sim.InjectFault(microsoftsim.Fault{Kind: microsoftsim.FaultSlow, Role: "login", Delay: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if ev := w.Read(t.Context(), partnerApp(), customerID, false); ev.Fault != nil {
				t.Errorf("fault %+v", ev.Fault)
			}
		})
	}
	wg.Wait()
	if got := w.sim.Calls()["login POST /{tenant}/oauth2/v2.0/token"]; got != 1 {
		t.Errorf("%d token calls", got)
	}
}

func TestTokensAreKeptApartAndBounded(t *testing.T) {
	t.Parallel()
	tokens := newTokens()
	now := time.Unix(1000, 0)
	key := func(n int) tokenKey { return tokenKey{connection: 1, tenant: fmt.Sprint(n), resource: "graph"} }
	for n := range maxTokens + 100 {
		tokens.put(key(n), accessToken{value: fmt.Sprint(n), until: now.Add(time.Hour)})
		tokens.get(key(0), now) // used all the time
	}
	if len(tokens.byKey) != maxTokens {
		t.Errorf("%d tokens kept", len(tokens.byKey))
	}
	if _, ok := tokens.get(key(0), now); !ok {
		t.Error("the token that is used all the time was dropped")
	}
	if _, ok := tokens.get(key(1), now); ok {
		t.Error("the oldest unused token was kept")
	}
	last := key(maxTokens + 99)
	if got, ok := tokens.get(last, now); !ok || got.value != last.tenant || !got.cached {
		t.Errorf("the last token: %+v %v", got, ok)
	}
	if _, ok := tokens.get(last, now.Add(time.Hour)); ok {
		t.Error("an ended token was given")
	}
	tokens.forget(func(k tokenKey) bool { return k.connection == 1 })
	if len(tokens.byKey) != 0 {
		t.Error("forgotten tokens are still there")
	}
}

func TestAChangedSecretIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRead(partnerApp())
	wrong := partnerApp()
	wrong.ClientSecret = "typo"
	w.mustFault(w.Read(t.Context(), wrong, customerID, false), "AADSTS7000215")
	wrong.ClientSecret = "old"
	w.mustFault(w.Read(t.Context(), wrong, customerID, false), "AADSTS7000222")
}

func TestUsable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expiresIn any
		want      time.Duration
	}{
		{3599.0, 3599*time.Second - early}, {"3599", 3599*time.Second - early}, {600.0, 450 * time.Second}, {nil, 45 * time.Second},
		{-1.0, 45 * time.Second}, {"x", 45 * time.Second}, {1e18, 24*time.Hour - early}, {"NaN", 45 * time.Second},
	} {
		if got := usable(c.expiresIn); got != c.want {
			t.Errorf("usable(%v) is %s, want %s", c.expiresIn, got, c.want)
		}
	}
}

// A wrong password is tried once, not once for each customer: Microsoft locks accounts.
func TestAWrongPasswordIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := password()
	wrong.Password = "typo"
	const route = "login POST /{tenant}/oauth2/v2.0/token"
	for range 5 {
		w.mustFault(w.Read(t.Context(), wrong, customerID, false), "AADSTS50126")
	}
	if got := w.sim.Calls()[route]; got != 1 {
		t.Errorf("%d tries", got)
	}
	if _, err := w.Test(t.Context(), wrong); err == nil || w.sim.Calls()[route] != 2 {
		t.Errorf("a test by hand: %v, %d tries", err, w.sim.Calls()[route])
	}
	w.pass(refusedFor)
	w.mustFault(w.Read(t.Context(), wrong, customerID, false), "AADSTS50126")
	if got := w.sim.Calls()[route]; got != 3 {
		t.Errorf("%d tries after a while", got)
	}
	w.mustRead(password())
}

func TestPasswordAccountsThatMicrosoftRefuses(t *testing.T) {
	t.Parallel()
	for upn, c := range map[string]struct {
		account microsoftsim.Account
		reason  string
		health  Health
	}{
		"mfa@coho.example":      {microsoftsim.Account{MFA: true}, "AADSTS50076", MFARequired},
		"enrol@coho.example":    {microsoftsim.Account{MustEnrol: true}, "AADSTS50079", MFARequired},
		"disabled@coho.example": {microsoftsim.Account{Disabled: true}, "AADSTS50057", AccountProblem},
		"expired@coho.example":  {microsoftsim.Account{PasswordExpired: true}, "AADSTS50055", AccountProblem},
		"fed@coho.example":      {microsoftsim.Account{Federated: true}, "AADSTS50126", SecretWrong},
	} {
		w := newWorld(t)
		c.account.UPN, c.account.TenantID, c.account.Password = upn, customerID, passText
		w.must(w.sim.AddAccount(c.account))
		cred := password()
		cred.Username = upn
		_, err := w.Test(t.Context(), cred)
		var refused *AuthError
		if !errors.As(err, &refused) || refused.Reason() != c.reason || refused.Health != c.health {
			t.Errorf("%s: %v", upn, err)
		}
	}
}

func TestCertificatesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ended := certificateOf(t, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)).both
	unregistered := certificateOf(t, time.Now().AddDate(10, 0, 0)).both
	public := certificateOf(t, time.Now().AddDate(20, 0, 0)).public
	for text, want := range map[string]Health{ended: SecretExpired, unregistered: SecretWrong, public: SecretWrong, "nonsense": SecretWrong} {
		cred := partnerApp()
		cred.ClientSecret, cred.CertificatePEM = "", text
		_, err := w.Test(t.Context(), cred)
		var refused *AuthError
		if !errors.As(err, &refused) || refused.Health != want || refused.Text() == "" || refused.Action() == "" {
			t.Errorf("%v, want %s", err, want)
		}
	}
	mixed := partnerApp()
	mixed.CertificatePEM = public + strings.TrimPrefix(unregistered, certificateOf(t, time.Now().AddDate(10, 0, 0)).public)
	if err := mixed.Validate(); err == nil || !strings.Contains(err.Error(), "don't belong together") || !strings.Contains(err.Error(), "not both") {
		t.Errorf("a key of another certificate, beside a secret: %v", err)
	}
}

func TestValidateNamesAllFaults(t *testing.T) {
	t.Parallel()
	got := Credential{Kind: "magic", Cloud: "moon", Tenant: "a b", ClientID: "x"}.Validate()
	for _, want := range []string{"no kind of connection", "no Microsoft cloud", "tenant id or a verified domain", "client id must be"} {
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%v doesn't say %q", got, want)
		}
	}
	for _, c := range []struct {
		kind Kind
		want string
	}{{PartnerApp, "secret or a certificate"}, {TenantApp, "secret or a certificate"}, {PartnerConsent, "nobody has signed in"}, {Password, "user name and password"}} {
		err := Credential{Kind: c.kind, Tenant: "coho.example", ClientID: appID}.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.kind, err)
		}
	}
}

// No secret is in a log line, an error, a fault or a formatted credential.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	certified := partnerApp()
	certified.ClientSecret, certified.CertificatePEM = "", certificateOf(t, time.Now().AddDate(20, 0, 0)).both
	consent := w.signedIn()
	var said strings.Builder
	for _, cred := range []Credential{partnerApp(), certified, consent, tenantApp(), password()} {
		for _, trouble := range []microsoftsim.Trouble{microsoftsim.TroubleNone, microsoftsim.TroubleSecretWrong, microsoftsim.TroubleForbidden, microsoftsim.TroubleMFA} {
			w.must(w.sim.SetTrouble(customerID, trouble))
			w.Forget(1)
			ev := w.Read(t.Context(), cred, customerID, true)
			_, err := w.Organization(t.Context(), cred, customerID)
			fmt.Fprintf(&said, "%+v %v %+v %#v %s %v\n", ev.Fault, err, cred, cred, cred, &cred)
		}
		w.cfg.Log.Info("a connection", "credential", cred)
	}
	w.must(w.sim.SetTrouble(customerID, microsoftsim.TroubleNone))
	said.WriteString(w.logs.String())
	hidden := append([]string{secretText, passText, consent.RefreshToken, "PRIVATE KEY", "eyJ", "Bearer"}, w.savedTokens()...)
	for _, secret := range hidden {
		if secret == "" || strings.Contains(said.String(), secret) {
			t.Errorf("%.12q is told", secret)
		}
	}
	if !strings.Contains(said.String(), "AADSTS7000215") {
		t.Error("nothing was told at all")
	}
}

func TestAADSTSTable(t *testing.T) {
	t.Parallel()
	// Every code of the documentation that we promised to word, by health.
	promised := map[Health][]int{
		AccountProblem:    {50034, 50053, 50055, 50144, 50057, 50105},
		MFARequired:       {50072, 50079, 50074, 50076},
		SignInAgain:       {50078, 50173, 50132, 50133, 70000, 70008, 700082, 70043},
		SecretWrong:       {50056, 50126, 50064, 7000215, 7000218, 700027},
		SecretExpired:     {7000222},
		WrongTenant:       {50194, 90124, 90130, 9001023, 500011, 90002, 90019, 50059, 5000224, 900023},
		GDAPMissing:       {50020, 50177, 90072},
		ConditionalAccess: {53000, 53001, 53002, 53003, 53004, 53011, 50131, 530003, 530032, 530035, 530034},
		ConsentMissing:    {65001, 65004, 650052, 650056, 650057, 65005, 700016, 7000229, 90094, 90095, 90099},
		AppDisabled:       {7000112, 70001},
		WrongCloud:        {90038, 900382, 900432},
		Transient:         {50196, 50033, 90006, 90024, 90033, 90090, 90055},
	}
	for health, codes := range promised {
		for _, code := range codes {
			body := fmt.Sprintf(`{"error":"invalid_grant","error_description":"AADSTS%d: user somebody@example said no","error_codes":[%d],"trace_id":"t-1","correlation_id":"c-1"}`, code, code)
			got := parseTokenError(400, []byte(body))
			want := &AuthError{Code: code, OAuthError: "invalid_grant", Health: health, TraceID: "t-1", CorrelationID: "c-1", says: got.says}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(AuthError{}, says{})); diff != "" {
				t.Errorf("%d (-want +got):\n%s", code, diff)
			}
			if !strings.HasSuffix(got.Text(), ".") || !strings.HasSuffix(got.Action(), ".") || strings.Contains(got.Error()+got.Text()+got.Action(), "somebody") {
				t.Errorf("%d: %q %q", code, got.Text(), got.Action())
			}
		}
	}
}

func TestTokenErrorsThatNobodyKnows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		code   int
		health Health
		reason string
	}{
		{400, `{"error":"invalid_grant","error_codes":[123456]}`, 123456, UnknownHealth, "AADSTS123456"},
		{400, `{"error":"invalid_grant","error_description":"AADSTS50076: x"}`, 50076, MFARequired, "AADSTS50076"},
		{400, `{"error":"invalid_grant","error_codes":[999999,65001]}`, 65001, ConsentMissing, "AADSTS65001"},
		{400, `{"error":"invalid_grant","error_codes":[-5]}`, 0, UnknownHealth, "invalid_grant"},
		{401, `{"error":"invalid_client"}`, 0, SecretWrong, "invalid_client"},
		{400, `{"error":"unauthorized_client"}`, 0, ConsentMissing, "unauthorized_client"},
		{400, `{"error":"consent_required"}`, 0, ConsentMissing, "consent_required"},
		{400, `{"error":"interaction_required"}`, 0, MFARequired, "interaction_required"},
		{400, `{"error":"login_required"}`, 0, SignInAgain, "login_required"},
		{503, `{"error":"temporarily_unavailable"}`, 0, Transient, "temporarily_unavailable"},
		{500, `oops`, 0, Transient, "transient"},
		{429, ``, 0, Transient, "transient"},
		{400, ``, 0, UnknownHealth, "unknown"},
		{400, `{"error":"<script>alert(1)</script>","trace_id":"a b"}`, 0, UnknownHealth, "unknown"},
		{400, `{"error":7}`, 0, UnknownHealth, "unknown"},
	} {
		got := parseTokenError(c.status, []byte(c.body))
		if got.Code != c.code || got.Health != c.health || got.Reason() != c.reason || got.Text() == "" || got.Action() == "" {
			t.Errorf("%d %s: %d %s %s %q", c.status, c.body, got.Code, got.Health, got.Reason(), got.Text())
		}
		if strings.ContainsAny(got.Error(), "<") || strings.Contains(got.Error(), "a b") {
			t.Errorf("%s: %v", c.body, got)
		}
	}
}
