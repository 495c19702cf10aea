package api_test

import (
	"net/http"
	"testing"

	"github.com/kangma/kangma/api"
)

// A newcomer tries the resident's page and the gate in one browser: each log-out must end its own login.
func TestLogOutEndsTheLoginThatIsMeantWhereABrowserHasTwo(t *testing.T) {
	w := newTown(t)
	for number, meant := range map[string]string{"301": "resident", "302": "staff"} {
		t.Run(meant, func(t *testing.T) {
			w := w.in(t)
			tokens := map[string]string{"resident": w.resident(number).token, "staff": w.staff(api.GateStaff)}
			r, err := http.NewRequest(http.MethodDelete, w.url+"/v1/sessions/current", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Kangma-As", meant)
			r.AddCookie(&http.Cookie{Name: "__Host-kangma-resident", Value: tokens["resident"]})
			r.AddCookie(&http.Cookie{Name: "__Host-kangma-staff", Value: tokens["staff"]})
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusNoContent {
				t.Fatalf("status %d, want 204", res.StatusCode)
			}
			for who, token := range tokens {
				status, code := 200, ""
				if who == meant {
					status, code = 401, "unauthorized"
				}
				w.want(w.call("GET", "/v1/session", token, nil), status, code)
			}
		})
	}
}
