package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const goodHash = "canary-3f9d1c77-hash"

// vouching is a Manage that answers as a test wants, and what it was asked.
type vouching struct {
	Vouching

	asked []*http.Request
}

func newVouching(t *testing.T, answer http.HandlerFunc) *vouching {
	t.Helper()
	v := &vouching{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.asked = append(v.asked, r)
		answer(w, r)
	}))
	t.Cleanup(web.Close)
	client := web.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	v.Vouching = Vouching{API: web.URL + "/v2026_1/apis/3.0", Company: "northgate", ClientID: "client", HTTP: client}
	return v
}

func sam() Claim { return Claim{Member: "SCarter", Hash: goodHash, Context: "web"} }

// signed answers whoever comes by the cookies of a browser's session, or only by the hash
// in place of a password.
func signed(basic bool, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, byPassword := r.BasicAuth()
		byCookie := r.Header.Get("Cookie") == "companyName=northgate; memberId=SCarter; memberHash="+goodHash+"; memberContext=web"
		switch {
		case r.Header.Get("Clientid") != "client":
			http.Error(w, "no client id", http.StatusForbidden)
		case basic && byPassword && user == "northgate+SCarter" && password == goodHash, !basic && byCookie && !byPassword:
			fmt.Fprint(w, body)
		default:
			http.Error(w, "no", http.StatusUnauthorized)
		}
	}
}

const samInfo = `{"id":217,"identifier":"scarter","firstName":"Sam","lastName":"Carter","fullName":"Sam Carter","defaultEmail":"sam@msp.example","licenseClass":"F","inactiveFlag":false}`

func TestVouch(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	says := func(body string) http.HandlerFunc { return signed(false, body) }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		calls  int
		want   error // nil: vouched
		status int   // of a VouchError
	}{
		"by cookies":          {signed(false, samInfo), 1, nil, 0},
		"by password":         {signed(true, samInfo), 2, nil, 0},
		"id as text":          {says(`{"id":"217","identifier":"SCARTER"}`), 1, nil, 0},
		"refused":             {status(401), 2, ErrNotVouched, 0},
		"refused by router":   {status(404), 2, ErrNotVouched, 0},
		"of somebody else":    {says(`{"id":3,"identifier":"IFerreira","licenseClass":"F"}`), 1, ErrNotVouched, 0},
		"of nobody":           {says(`{}`), 1, ErrNotVouched, 0},
		"inactive":            {says(`{"id":217,"identifier":"SCarter","inactiveFlag":true}`), 1, ErrNotVouched, 0},
		"of the API":          {says(`{"id":217,"identifier":"SCarter","licenseClass":"A"}`), 1, ErrNotVouched, 0},
		"down":                {status(503), 1, nil, 503},
		"too often":           {status(429), 1, nil, 429},
		"sent elsewhere":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, 1, nil, 302},
		"a page":              {says("<html>"), 1, nil, -1},
		"too long":            {says(`{"id":1,"x":"` + strings.Repeat("x", vouchBody) + `"}`), 1, nil, -1},
		"an id that is none":  {says(`{"id":{},"identifier":"SCarter"}`), 1, nil, -1},
		"a flag that is none": {says(`{"id":1,"identifier":"SCarter","inactiveFlag":"no"}`), 1, nil, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVouching(t, c.answer)
			m, err := v.Vouch(t.Context(), sam())
			vouch, unknown := errors.AsType[*VouchError](err)
			switch {
			case c.status != 0:
				if !unknown || vouch.Status != max(c.status, 0) || m != nil {
					t.Errorf("%v, %v, want a VouchError with %d", m, err, c.status)
				}
			case !errors.Is(err, c.want), (err == nil) == (m == nil):
				t.Errorf("%v, %v, want %v", m, err, c.want)
			}
			if len(v.asked) != c.calls {
				t.Errorf("%d calls, want %d", len(v.asked), c.calls)
			}
			if err != nil && strings.Contains(err.Error(), goodHash) {
				t.Errorf("the error holds the hash: %v", err)
			}
		})
	}
}

func TestVouchedIs(t *testing.T) {
	t.Parallel()
	v := newVouching(t, signed(false, samInfo))
	m, err := v.Vouch(t.Context(), sam())
	if err != nil {
		t.Fatal(err)
	}
	want := &Member{ID: 217, Identifier: "scarter", Name: "Sam Carter", Email: "sam@msp.example"}
	if diff := cmp.Diff(want, m, cmpopts.IgnoreUnexported(Member{})); diff != "" {
		t.Error(diff)
	}
	if got := v.asked[0].URL.Path; got != "/v2026_1/apis/3.0/system/myMembers/info" {
		t.Errorf("asked at %s", got)
	}
	if text := fmt.Sprintf("%+v %#v %s", *m, m, m); strings.Contains(text, goodHash) {
		t.Errorf("a member shows its way in: %s", text)
	}
}

// TestVouchEnds: a Manage that doesn't answer is no word about the member.
func TestVouchEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	v := newVouching(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := v.Vouch(ctx, sam()); err == nil || errors.Is(err, ErrNotVouched) {
		t.Errorf("%v", err)
	}
	v.API = "http://[::1"
	if _, err := v.Vouch(t.Context(), sam()); err == nil || errors.Is(err, ErrNotVouched) {
		t.Errorf("%v", err)
	}
}

// TestClaimsThatCantBe never reach Manage: they would end a header, or begin another.
func TestClaimsThatCantBe(t *testing.T) {
	t.Parallel()
	v := newVouching(t, signed(false, samInfo))
	for name, c := range map[string]Claim{
		"no member":            {"", goodHash, "web"},
		"long member":          {strings.Repeat("a", 101), goodHash, "web"},
		"member with a colon":  {"sam:x", goodHash, "web"},
		"member of another":    {"other+sam", goodHash, "web"},
		"member with a cookie": {"sam; memberId=ines", goodHash, "web"},
		"member with a line":   {"sam\r\nX-Admin: 1", goodHash, "web"},
		"member not ASCII":     {"sám", goodHash, "web"},
		"no hash":              {"sam", "", "web"},
		"short hash":           {"sam", "1234567", "web"},
		"long hash":            {"sam", Secret(strings.Repeat("a", 2049)), "web"},
		"hash with a cookie":   {"sam", goodHash + ";memberId=ines", "web"},
		"hash with a quote":    {"sam", goodHash + `"`, "web"},
		"hash with a space":    {"sam", goodHash + " x", "web"},
		"no context":           {"sam", goodHash, ""},
		"long context":         {"sam", goodHash, Secret(strings.Repeat("a", 4097))},
		"context with a line":  {"sam", goodHash, "web\n"},
	} {
		if _, err := v.Vouch(t.Context(), c); !errors.Is(err, ErrClaim) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(v.asked) != 0 {
		t.Errorf("%d calls", len(v.asked))
	}
}

func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	c := sam()
	c.Context = "canary-context"
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("claim", "claim", c, "hash", c.Hash)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("claim", "claim", c, "hash", c.Hash)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	said := log.String() + string(text) + fmt.Sprintf("%v %+v %#v %s %q %x %d", c, c, c, c.Hash, c.Hash, c.Hash, c.Hash) + fmt.Sprint(c.Hash, &c)
	if strings.Contains(said, "canary") || strings.Contains(said, fmt.Sprintf("%x", goodHash)) || !strings.Contains(said, "SCarter") {
		t.Errorf("%s", said)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	agreement := `{"id":42,"name":"Managed <script>365</script>","company":{"id":7,"name":"Northwind\u0000 Dental"}}`
	for name, c := range map[string]struct {
		kind   RecordKind
		status int
		body   string
		want   Record
		err    error // nil with no record: a VouchError
	}{
		"agreement":             {AgreementRecord, 200, agreement, Record{AgreementRecord, 42, "Managed <script>365</script>", 7, "Northwind Dental"}, nil},
		"company":               {CompanyRecord, 200, `{"id":42,"name":"Northwind"}`, Record{CompanyRecord, 42, "Northwind", 42, "Northwind"}, nil},
		"nothing there":         {AgreementRecord, 404, `{}`, Record{}, ErrNoRecord},
		"not for the member":    {AgreementRecord, 403, `{}`, Record{}, ErrNoRecord},
		"signed out meanwhile":  {CompanyRecord, 401, `{}`, Record{}, ErrNoRecord},
		"another kind":          {"ticket", 200, agreement, Record{}, ErrNoRecord},
		"another record":        {AgreementRecord, 200, `{"id":43,"name":"x","company":{"id":7}}`, Record{}, nil},
		"without a company":     {AgreementRecord, 200, `{"id":42,"name":"x"}`, Record{}, nil},
		"of a negative company": {AgreementRecord, 200, `{"id":42,"name":"x","company":{"id":-7}}`, Record{}, nil},
		"down":                  {AgreementRecord, 500, `{}`, Record{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVouching(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/info") {
					signed(false, samInfo)(w, r)
					return
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			m, err := v.Vouch(t.Context(), sam())
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Read(t.Context(), c.kind, 42)
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			vouch, unknown := errors.AsType[*VouchError](err)
			switch {
			case c.err != nil && !errors.Is(err, c.err), c.want.ID != 0 && err != nil:
				t.Errorf("%v, want %v", err, c.err)
			case c.err == nil && c.want.ID == 0 && (!unknown || vouch.Error() == ""):
				t.Errorf("%v, want a VouchError", err)
			}
			for _, r := range v.asked {
				if !strings.Contains(r.Header.Get("Cookie"), goodHash) {
					t.Errorf("%s was not asked as the member", r.URL.Path)
				}
			}
		})
	}
}

func TestRecordIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"1": 1, "42": 42, "2147483647": 2147483647, "0042": 42,
		"": 0, "0": 0, "-1": 0, "+1": 0, "2147483648": 0, "99999999999999999999": 0, "1 or 1=1": 0, "1;2": 0, "1.5": 0, " 1": 0, "0x1": 0, "١": 0, "1e3": 0,
	} {
		got, err := RecordID(text)
		if got != want || (err != nil) != (want == 0) || err != nil && !errors.Is(err, ErrNoRecord) {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Sam\x00 Car\nter ": "Sam Carter", "a\xffb": "ab", "éééé": "ééé", "": "",
	} {
		if got := printable(in, 6); in == "éééé" && got != want || in != "éééé" && printable(in, 100) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
