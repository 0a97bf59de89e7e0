//! Only the fields that the page sets.
//!
//! A trace and an axis of the `plotly` crate have a hundred optional fields each, and the serializers of
//! all of them would be a fifth of the page. Their names are constants: where [`is_set`] is inlined the
//! compiler sees that a field is never handed over, and leaves its serializer out.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// The names of all fields that `figure` sets.
#[inline(always)]
fn is_set(name: &str) -> bool {
    matches!(
        name,
        // Traces.
        "type" | "name" | "mode" | "x" | "y" | "line" | "color" | "width" | "dash" | "fill" | "fillcolor" | "hoverinfo"
        // Axes.
        | "range" | "gridcolor" | "zerolinecolor" | "linecolor" | "automargin" | "tickformat" | "hoverformat"
        | "ticksuffix" | "xaxis" | "yaxis"
        // The rest of the layout.
        | "autosize" | "font" | "family" | "size" | "paper_bgcolor" | "plot_bgcolor" | "bgcolor" | "hovermode"
        | "hoverlabel" | "margin" | "l" | "r" | "t" | "b" | "autoexpand" | "showlegend" | "legend" | "orientation"
        | "yanchor"
    )
}

/// A value of which only the fields that the page sets are handed over.
pub(super) struct Chosen<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Serialize for Chosen<'_, T> {
    #[inline(always)]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Choosing(serializer))
    }
}

/// A serializer, or a part of one, that chooses.
struct Choosing<S>(S);

macro_rules! as_it_is {
    ($($method:ident: $type:ty),*) => {
        $(
            #[inline]
            fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
                self.0.$method(value)
            }
        )*
    };
}

impl<S: Serializer> Serializer for Choosing<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Choosing<S::SerializeSeq>;
    type SerializeTuple = Choosing<S::SerializeTuple>;
    type SerializeTupleStruct = Choosing<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Choosing<S::SerializeTupleVariant>;
    type SerializeMap = Choosing<S::SerializeMap>;
    type SerializeStruct = Choosing<S::SerializeStruct>;
    type SerializeStructVariant = Choosing<S::SerializeStructVariant>;

    as_it_is!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str
    );

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Chosen(value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, place: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, place, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Chosen(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        place: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, place, variant, &Chosen(value))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(length).map(Choosing)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(length).map(Choosing)
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, length).map(Choosing)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        place: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0.serialize_tuple_variant(name, place, variant, length).map(Choosing)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(length).map(Choosing)
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.0.serialize_struct(name, length).map(Choosing)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        place: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0.serialize_struct_variant(name, place, variant, length).map(Choosing)
    }
}

impl<S: SerializeStruct> SerializeStruct for Choosing<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), S::Error> {
        if is_set(name) { self.0.serialize_field(name, &Chosen(value)) } else { Ok(()) }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

impl<S: SerializeStructVariant> SerializeStructVariant for Choosing<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), S::Error> {
        if is_set(name) { self.0.serialize_field(name, &Chosen(value)) } else { Ok(()) }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

impl<S: SerializeMap> SerializeMap for Choosing<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_value(&Chosen(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

macro_rules! elements {
    ($($part:ident: $method:ident),*) => {
        $(
            impl<S: $part> $part for Choosing<S> {
                type Ok = S::Ok;
                type Error = S::Error;

                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                    self.0.$method(&Chosen(value))
                }

                fn end(self) -> Result<S::Ok, S::Error> {
                    self.0.end()
                }
            }
        )*
    };
}

elements!(
    SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);
