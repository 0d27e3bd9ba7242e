"""Columns that tell who somebody is, in any spelling, in five languages, by name and by content."""

import pandas as pd
import pytest

from nme_core.study.clean.personal import find_personal, is_free_text

NAMES = {
    "names": "name_last name_first RecipientLastName RecipientFirstName lname fname Nachname "
    "prénom achternaam apellido Familienname last_name surname nom naam Voornaam PatientName "
    "participant_lastname contact_name child_first_name full_name Nom_de_famille "
    "nombre_completo primer_apellido Unterschrift Q1_first_name first.name NAME vp_name "
    "maiden familienaam",
    "e-mail addresses": "Email RecipientEmail email_address E-Mail-Adresse correo_electronico "
    "courriel emailadres participant_email",
    "phone numbers": "phone PhoneNumber telefon Handynummer numero_de_telephone teléfono "
    "telefoonnummer home_phone móvil",
    "addresses": "home_address Straße rue calle straat postcode PLZ ZipCode code_postal "
    "codigo_postal Wohnort city Hausnummer woonplaats",
    "IP addresses": "IPAddress ip_address ipaddr IP-Adresse adresse_ip",
    "details of a device": "deviceId imei MacAddress serial_number Seriennummer user_agent",
    "insurance or identity numbers": "ssn insurance_number Versichertennummer KVNR AHV-Nummer "
    "nhs_number numéro_de_sécurité_sociale BSN DNI policy_number passport Krankenkassennr",
    "medical record numbers": "MRN medical_record_number Fallnummer patient_mrn",
    "bank accounts": "IBAN Kontonummer rekeningnummer bank_account",
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names.split()]
)
def test_names_of_columns(kind, name):
    found = find_personal(pd.DataFrame({name: ["Kx 100", "Ly 200", "Mz 300"]}))
    assert [one.kind for one in found] == [kind]


@pytest.mark.parametrize(
    "name", ["dob", "Geburtsdatum", "GebDat", "date_de_naissance", "fecha_nacimiento",
             "geboortedatum", "DateOfBirth", "patient_dob", "fecha_nac", "born"],
)  # fmt: skip
def test_birth_dates(name):
    (found,) = find_personal(pd.DataFrame({name: ["1980-02-03", "1990-05-06"]}))
    assert found.kind == "birth dates"


@pytest.mark.parametrize(
    "name", ["LocationLatitude", "latitude", "longitud", "gps_lat", "Breitengrad", "Längengrad"]
)
def test_places_on_the_map(name):
    (found,) = find_personal(pd.DataFrame({name: [52.1, 13.2, 1.3]}))
    assert found.kind == "places on the map"
    pair = find_personal(pd.DataFrame({"lat": [52.1, 13.2], "lon": [1.1, 2.2]}))
    assert [one.kind for one in pair] == ["places on the map"] * 2


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("e-mail addresses", ["a@b.de", "none", "none"]),
        ("IP addresses", ["192.168.1.1", "10.0.0.1", "8.8.8.8"]),
        ("IP addresses", ["2001:db8:85a3:0:0:8a2e:370:7334", "fe80:0:0:0:1:2:3:4"]),
        ("details of a device", ["00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5F"]),
        ("addresses", ["Hauptstraße 5", "Am Weg 7", "Lindenallee 12a"]),
        ("addresses", ["12 Main Street", "4 High Road", "7b Elm Ave"]),
        ("addresses", ["5 rue de la Paix", "12 avenue Foch", "3, place Bellecour"]),
        ("addresses", ["Calle Mayor 5", "Avda. del Sol 7", "Plaza Real 1"]),
        ("addresses", ["Kerkstraat 12", "Dorpslaan 4", "Marktplein 7"]),
        ("addresses", ["1234 AB", "5678 CD", "9012 EF"]),
        ("addresses", ["SW1A 1AA", "EC1A 1BB", "M1 1AE"]),
        ("places on the map", ["52.5200, 13.4050", "48.85661, 2.35222"]),
        ("bank accounts", ["DE89 3704 0044 0532 0130 00", "none"]),
        ("insurance or identity numbers", ["123-45-6789", "987-65-4321"]),
        ("names", ["Anna", "Ben", "Lukas", "Marie"]),
        ("names", ["Meier, Anna", "Roth, Ben", "Kaya, Cem"]),
        ("links or files", ["https://x.org/a", "https://x.org/b"]),
        ("links or files", ["anna.jpg", "ben.jpg", "cem.jpg"]),
    ],
)
def test_content_of_columns(kind, cells):
    assert [one.kind for one in find_personal(pd.DataFrame({"q17": cells}))] == [kind]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("username_mood", ["good", "bad", "ok"]),
        ("state_name", ["calm", "tense", "low"]),
        ("last", ["yes", "no", "yes"]),
        ("family", [1, 2, 3]),
        ("born_here", ["yes", "no", "no"]),
        ("medication_name", ["A", "B", "C"]),
        ("birth_weight", [3000, 3500, 2500]),
        ("phone_minutes", [10, 200, 30]),
        ("instagram", [10, 20, 40]),
        ("mobile", ["yes", "no", "yes"]),
        ("lat", [0.2, 0.3, 0.4]),
        ("nombre_de_pas", [100, 2000, 3000]),
        ("location", ["home", "work", "home"]),
        ("Ort", ["Zuhause", "Arbeit", "Zuhause"]),
        ("state", ["Calm Positive", "Very Tense", "Low Mood", "Calm Positive", "Low Mood",
                   "Very Tense"]),
        ("weekday", ["Monday", "Tuesday", "Friday"]),
        ("month", ["April", "May", "June"]),
        ("date", ["Jan 01", "Jan 02", "April 13", "May 14", "June 15"]),
        ("clinic", ["Berlin", "Paris", "Rome"]),
        ("serial", [1, 2, 3]),
        ("how_often", ["several days a week", "never or almost never", "every day of week"] * 3),
    ],
)  # fmt: skip
def test_no_false_alarm(name, cells):
    assert find_personal(pd.DataFrame({name: cells})) == ()


def test_states_of_several_words_are_classes_and_sentences_are_not():
    states = ["neither of the two", "calm and at ease", "tense and on edge"]
    assert not is_free_text(pd.Series(states * 4))
    assert is_free_text(pd.Series([f"{one}, part {k}" for k in range(9) for one in states]))
    assert (
        find_personal(pd.DataFrame({"note": [f"good {k}" for k in range(9)]}))[0].kind
        == "free text"
    )


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("hausarzt", ["Huber", "Lang", "Huber"], "names"),
        ("Spitzname", ["Anni", "Ben2", "Evi"], "names"),
        ("gp_name", ["Smith", "Jones", "Smith"], "names"),
        ("insta", ["@anna", "@ben", "@eva"], "accounts elsewhere"),
        ("v3", ["Dr. Weiss", "Prof. Dr. Kern", "Frau Lang"], "names"),
        ("v4", ["Mr. Smith", "Mrs Jones", "Ms. Anna Lee"], "names"),
    ],
)
def test_who_treats_somebody_and_what_they_are_called(name, cells, kind):
    assert [one.kind for one in find_personal(pd.DataFrame({name: cells}))] == [kind]


def test_words_that_begin_like_a_title_are_no_names():
    cells = ["drowsy", "Mother at home", "profound sleep", "Fraught"]
    assert find_personal(pd.DataFrame({"state": cells})) == ()
