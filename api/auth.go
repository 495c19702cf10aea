package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Role is what an account may do. Residents are not accounts: they log in with their phone.
type Role string

// The closed set of roles.
const (
	Resident       Role = "resident"
	GateStaff      Role = "gate"
	Feeder         Role = "feeder"
	Official       Role = "official"
	Epidemiologist Role = "epidemiologist"
	Admin          Role = "admin"
)

// StaffRoles are the roles an account may have.
var StaffRoles = []Role{GateStaff, Feeder, Official, Epidemiologist, Admin}

// Account is a staff account as kept in the records (kind "account", id the user name).
type Account struct {
	Name         string            `json:"name"`
	Role         Role              `json:"role"`
	Organisation string            `json:"organisation"`
	Gates        []string          `json:"gates,omitempty"`     // gate staff: the gates they may scan at
	Divisions    []kangma.Division `json:"divisions,omitempty"` // officials, epidemiologists: where they may look
	Feed         string            `json:"feed,omitempty"`      // feeders: the source they speak for
	Hash         []byte            `json:"hash"`                // bcrypt
	Disabled     bool              `json:"disabled,omitempty"`
	Device       string            `json:"device,omitempty"` // fixed devices: SHA-256 of the key in use; they have no password
}

// Principal is who a request comes from.
type Principal struct {
	Role    Role
	Person  kangma.PersonID // residents
	Account Account         // staff, without Hash
	Expires time.Time
	Device  bool // a fixed device: its key does not expire
}

const (
	accountKind = "account"
	sessionKind = "session"
	otpKind     = "otp"

	residentLife = 30 * 24 * time.Hour
	staffLife    = 12 * time.Hour
	otpLife      = 10 * time.Minute
	otpTries     = 5
)

// session is what is stored under the SHA-256 of a token.
type session struct {
	Role    Role            `json:"role"`
	Person  kangma.PersonID `json:"person,omitzero"`
	Account string          `json:"account,omitempty"`
	Expires time.Time       `json:"expires"`
}

var (
	errNoLogin    = kangma.E(kangma.Unauthorized, "unauthorized", "log in first (POST /v1/sessions)")
	errWrongLogin = kangma.E(kangma.Unauthorized, "wrong_login", "the user name or password is wrong")
	errWrongOTP   = kangma.E(kangma.Unauthorized, "wrong_otp", "the one-time password is wrong or has expired; ask for a new one")
	errWrongRole  = kangma.E(kangma.Forbidden, "forbidden", "this account may not do that")
	errScope      = kangma.E(kangma.Forbidden, "scope", "this is outside your gates or divisions")
)

// auth holds what logins need.
type auth struct {
	registry *registry.Service
	secret   [32]byte // keys the one-time password hashes
	cost     int      // bcrypt
	dummy    []byte   // compared when there is no such account, so that a miss costs the same
	now      func() time.Time
}

func newAuth(r *registry.Service, secret [32]byte, cost int) (*auth, error) {
	dummy, err := bcrypt.GenerateFromPassword([]byte("nobody"), cost)
	return &auth{registry: r, secret: secret, cost: cost, dummy: dummy, now: r.Now}, err
}

// SetPassword hashes a password into an account. Passwords have 8 to 72 bytes.
func (a *Account) SetPassword(password string, cost int) (err error) {
	if len(password) < 8 || len(password) > 72 {
		return kangma.E(kangma.Invalid, "password", "a password has 8 to 72 bytes")
	}
	a.Hash, err = bcrypt.GenerateFromPassword([]byte(password), cost)
	return err
}

func newToken(account string) string {
	raw := make([]byte, 32)
	rand.Read(raw)
	token := base64.RawURLEncoding.EncodeToString(raw)
	if account != "" {
		token += "." + base64.RawURLEncoding.EncodeToString([]byte(account))
	}
	return token
}

func (a *auth) startSession(ctx context.Context, s session) (token string, err error) {
	token = newToken(s.Account)
	return token, a.putSession(ctx, token, s)
}

func (a *auth) putSession(ctx context.Context, token string, s session) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	owner := s.Account
	if s.Role == Resident {
		owner = s.Person.String()
	}
	return a.registry.Records().Put(ctx, store.Record{
		Kind: sessionKind, ID: tokenID(token), Version: 1, Data: data, Index: map[string]string{"owner": owner},
	})
}

// accountOf gives the account that a token names: staff's do, so that login and account are read at once. It is a hint:
// the login says whose it is.
func accountOf(token string) string {
	if name, ok := deviceOf(token); ok {
		return name
	}
	_, tail, _ := strings.Cut(token, ".")
	name, err := base64.RawURLEncoding.DecodeString(tail)
	if err != nil || len(name) > 64 {
		return ""
	}
	return string(name)
}

// tokenID is how a token is stored: a thief of the store cannot use it.
func tokenID(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// principal finds who a token belongs to.
func (a *auth) principal(ctx context.Context, token string) (Principal, error) {
	if name, ok := deviceOf(token); ok {
		return a.device(ctx, name, token)
	}
	s, acc, accErr, err := a.loginOf(ctx, token)
	if errors.Is(err, kangma.NotFound) || err == nil && !s.Expires.After(a.now()) {
		return Principal{}, errNoLogin
	}
	if err != nil {
		return Principal{}, unavailable(err)
	}
	p := Principal{Role: s.Role, Person: s.Person, Expires: s.Expires}
	if s.Role == Resident {
		return p, nil
	}
	if errors.Is(accErr, kangma.NotFound) || accErr == nil && (acc.Disabled || acc.Role != s.Role) {
		return Principal{}, errNoLogin
	}
	if accErr != nil {
		return Principal{}, unavailable(accErr)
	}
	p.Account = *acc
	p.Account.Hash, p.Account.Device = nil, ""
	return p, nil
}

// loginOf reads a login and, unless it is a resident's, its account: at once where the token names that.
func (a *auth) loginOf(ctx context.Context, token string) (s *session, acc *Account, accErr, err error) {
	hint := ""
	if a.registry.Moments() != nil {
		hint = accountOf(token)
	}
	if hint == "" {
		s, err = a.readLogin(ctx, token)
	} else {
		s, acc, accErr, err = a.readBoth(ctx, token, hint)
	}
	if err == nil && s.Role != Resident && s.Account != hint {
		acc, accErr = a.readAccount(ctx, s.Account)
	}
	return s, acc, accErr, err
}

func (a *auth) readBoth(ctx context.Context, token, account string) (s *session, acc *Account, accErr, err error) {
	a.registry.Together(ctx,
		func(ctx context.Context) { s, err = a.readLogin(ctx, token) },
		func(ctx context.Context) { acc, accErr = a.readAccount(ctx, account) })
	return s, acc, accErr, err
}

func (a *auth) readLogin(ctx context.Context, token string) (*session, error) {
	return registry.ReadDoc[session](ctx, a.registry.Records(), sessionKind, tokenID(token))
}

func (a *auth) readAccount(ctx context.Context, name string) (*Account, error) {
	return registry.ReadDoc[Account](ctx, a.registry.Records(), accountKind, name)
}

func unavailable(err error) error {
	if err == nil || kangma.KindOf(err) != kangma.Internal {
		return err
	}
	return kangma.E(kangma.Unavailable, "store", "the records cannot be read now; try again").Because(err)
}

// end forgets a session.
func (a *auth) end(ctx context.Context, token string) error {
	rec, err := a.registry.Records().Get(ctx, sessionKind, tokenID(token))
	if errors.Is(err, kangma.NotFound) {
		return nil
	}
	if err != nil {
		return unavailable(err)
	}
	return a.registry.Records().Put(ctx, store.Record{Kind: sessionKind, ID: rec.ID, Version: rec.Version + 1, Deleted: true})
}

// staffLogin checks a password. A name that does not exist costs as much time as one that does.
func (a *auth) staffLogin(ctx context.Context, name, password string) (Account, error) {
	acc, _, err := registry.GetDoc[Account](ctx, a.registry.Records(), accountKind, name)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return acc, unavailable(err)
	}
	hash := acc.Hash
	if err != nil || acc.Disabled || len(hash) == 0 {
		hash = a.dummy
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || err != nil || acc.Disabled {
		return Account{}, errWrongLogin
	}
	return acc, nil
}

// otp is a pending one-time password. Its id is the phone's keyed hash, so the store names no phone.
type otp struct {
	Hash    []byte    `json:"hash"`
	Tries   int       `json:"tries"`
	Expires time.Time `json:"expires"`
}

func (a *auth) otpHash(phone kangma.Phone, code string) []byte {
	m := hmac.New(sha256.New, a.secret[:])
	fmt.Fprintf(m, "otp\x00%s\x00%s", phone.Reveal(), code)
	return m.Sum(nil)
}

func (a *auth) otpID(phone kangma.Phone) string { return hex.EncodeToString(a.otpHash(phone, "")[:16]) }

// newOTP makes a one-time password for a phone, replacing the one before.
func (a *auth) newOTP(ctx context.Context, phone kangma.Phone) (string, error) {
	var b [8]byte
	rand.Read(b[:])
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	code := fmt.Sprintf("%06d", n%1_000_000)
	err := a.putOTP(ctx, phone, otp{Hash: a.otpHash(phone, code), Expires: a.now().Add(otpLife)})
	return code, err
}

func (a *auth) putOTP(ctx context.Context, phone kangma.Phone, o otp) error {
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	old, err := a.registry.Records().Get(ctx, otpKind, a.otpID(phone))
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return unavailable(err)
	}
	return a.registry.Records().Put(ctx, store.Record{Kind: otpKind, ID: a.otpID(phone), Version: old.Version + 1, Data: data})
}

// checkOTP spends a try; the right password within its life and tries is used up. whenGood runs beside that for the right
// one: what it does must be taken back if checkOTP says an error, for somebody else may have used the password up.
func (a *auth) checkOTP(ctx context.Context, phone kangma.Phone, code string, whenGood func(context.Context)) error {
	o, version, err := registry.GetDoc[otp](ctx, a.registry.Records(), otpKind, a.otpID(phone))
	if errors.Is(err, kangma.NotFound) {
		return errWrongOTP
	}
	if err != nil {
		return unavailable(err)
	}
	good := subtle.ConstantTimeCompare(o.Hash, a.otpHash(phone, code)) == 1 && o.Tries < otpTries && a.now().Before(o.Expires)
	next := store.Record{Kind: otpKind, ID: a.otpID(phone), Version: version + 1, Deleted: good}
	// the compare-and-swap makes parallel guesses spend their tries one by one
	if !good {
		o.Tries++
		if next.Data, err = json.Marshal(o); err != nil {
			return err
		}
		_ = a.registry.Records().Put(ctx, next) // wrong all the same
		return errWrongOTP
	}
	a.registry.Together(ctx, func(ctx context.Context) { err = a.registry.Records().Put(ctx, next) }, whenGood)
	if err != nil {
		return errWrongOTP
	}
	return nil
}

// logInByPhone checks a one-time password and starts a session for whose phone it is. The session is written beside the
// password being used up, and of whom is made sure beside both; nobody has its token before all is well.
func (a *auth) logInByPhone(ctx context.Context, phone kangma.Phone, code string) (token string, ses session, err error) {
	var person, guess kangma.PersonID
	var findErr, putErr, otpErr error
	a.registry.Together(ctx,
		func(ctx context.Context) {
			person, findErr = a.registry.FindByPhone(ctx, phone, func(id kangma.PersonID) { guess = id })
		},
		func(ctx context.Context) {
			otpErr = a.checkOTP(ctx, phone, code, func(ctx context.Context) {
				if guess.IsZero() {
					return
				}
				token, ses = newToken(""), session{Role: Resident, Person: guess, Expires: a.now().Add(residentLife)}
				putErr = a.putSession(ctx, token, ses)
			})
		})
	if otpErr == nil && findErr == nil && putErr == nil && person == guess {
		return token, ses, nil
	}
	if token != "" {
		_ = a.end(ctx, token) // nobody has it
	}
	switch {
	case otpErr != nil:
		return "", ses, otpErr
	case findErr != nil:
		return "", ses, errWrongOTP
	case putErr != nil:
		return "", ses, unavailable(putErr)
	}
	ses = session{Role: Resident, Person: person, Expires: a.now().Add(residentLife)} // the guess was wrong
	token, err = a.startSession(ctx, ses)
	return token, ses, unavailable(err)
}

// cookieName keeps residents and staff apart, so that both can be tried in one browser.
func cookieName(r Role) string {
	if r == Resident {
		return "__Host-kangma-resident"
	}
	return "__Host-kangma-staff"
}

// asHeader says which login is meant, "resident" or "staff", where a browser has both and the route is for either.
const asHeader = "Kangma-As"

// tokenOf finds the token of a request for a route that needs one of roles.
func tokenOf(header func(string) string, roles []Role) string {
	if t, ok := strings.CutPrefix(header("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(t)
	}
	cookies, err := http.ParseCookie(header("Cookie"))
	if err != nil {
		return ""
	}
	as := header(asHeader)
	for _, c := range cookies {
		if slices.ContainsFunc(roles, func(r Role) bool {
			return cookieName(r) == c.Name && (as == "" || (as == string(Resident)) == (r == Resident))
		}) {
			return c.Value
		}
	}
	return ""
}
