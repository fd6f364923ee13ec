from test_load_market import FILES
from market_files import counts, load
import traceback
def test_stress(db):
    bad=0
    for i in range(400):
        with db.app() as conn:
            try:
                for kind, text in FILES.items():
                    r = load(conn, kind, text); assert counts(r) == (r.rows,0,0,0,0), r
                for kind, text in FILES.items():
                    r = load(conn, kind, text); assert counts(r) == (0,0,r.rows,0,0), r
            except Exception:
                traceback.print_exc(); bad+=1
            conn.rollback()
    assert bad==0
